import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { SlowestFirst } from './test/support/slowest-first.ts';

const REAL_GUEST_TIMEOUT_MS = 300_000;

export default defineConfig({
  test: {
    // Tests wait for the programs they start: a worker less than there are processors would leave one idle.
    maxWorkers: '100%',
    sequence: { sequencer: SlowestFirst },
    projects: [
      // Pure functions: nothing of one file can disturb another, and starting a world for each takes longer than they do.
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], isolate: false } },
      // Each of their tests has a world of its own, in folders and processes, and waits for these a third of its time.
      {
        test: {
          name: 'cli',
          include: ['test/cli/**/*.test.ts'],
          globalSetup: ['test/support/fake-guest-setup.ts'],
          testTimeout: 30_000,
          isolate: false,
          maxWorkers: Math.ceil(availableParallelism() * 1.5),
          sequence: { groupOrder: 1 },
        },
      },
      // Real images, archives and registries.
      {
        test: {
          name: 'boxes',
          include: ['test/boxes/**/*.test.ts'],
          globalSetup: ['test/support/fake-guest-setup.ts'],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/support/e2e-setup.ts'],
          testTimeout: REAL_GUEST_TIMEOUT_MS,
          hookTimeout: REAL_GUEST_TIMEOUT_MS,
        },
      },
    ],
  },
});
