import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { rootDir } from './paths.ts';

/** Test files by how long they take, the longest first: begun last, one of them would be waited for alone. */
const SLOWEST = [
  ...['plan', 'hooks', 'disks', 'json', 'snapshots', 'cache', 'suspend'].map((name) => `cli/${name}`),
  ...['vagrant', 'published-images', 'examples', 'identity', 'layers', 'quickstart'].map((name) => `e2e/${name}`),
  ...['kill', 'suspend', 'networks', 'debian'].map((name) => `e2e/${name}`),
].map((path) => `${rootDir}test/${path}.test.ts`);

/** Runs the slowest files first, the others in Vitest's own order. */
export class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.sort((a, b) => rankOf(a) - rankOf(b));
  }
}

function rankOf({ moduleId }: TestSpecification): number {
  const index = SLOWEST.indexOf(moduleId);
  return index < 0 ? SLOWEST.length : index;
}
