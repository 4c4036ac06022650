import type { ProviderName } from '../machinefile/spec.ts';
import type { Provider } from './provider.ts';
import { qemuProvider } from './qemu/provider.ts';

/** One row for each provider a Machinefile may name. */
export const providers = { qemu: qemuProvider } satisfies Record<ProviderName, Provider>;
