import { basename } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Test files by how long they take, the longest first: begun last, one of them would be waited for alone. */
const SLOWEST = ['vagrant', 'published-images', 'examples', 'quickstart', 'networks', 'kill', 'debian'];

/** Runs the slowest files first, the others in Vitest's own order. */
export class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.sort((a, b) => rankOf(a) - rankOf(b));
  }
}

function rankOf({ moduleId }: TestSpecification): number {
  const index = SLOWEST.indexOf(basename(moduleId, '.test.ts'));
  return index < 0 ? SLOWEST.length : index;
}
