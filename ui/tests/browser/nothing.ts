import { expect } from 'vitest';

/** Fails with one line for each thing found. */
export function expectNothing(found: string[]): void {
  if (found.length > 0) expect.fail(`${found.length} found\n${found.join('\n')}`);
}
