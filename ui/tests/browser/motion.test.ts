// What moves, how often, and that nothing moves where nothing is to move.
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { glasses, show } from './glass';
import { recorded, scenes } from './recordings';

const pages = glasses();

/** The periods of what loops, in milliseconds. */
function loops(page: Page): Promise<number[]> {
  return page.evaluate(() =>
    document
      .getAnimations()
      .map((animation) => animation.effect!.getComputedTiming())
      .filter((timing) => timing.iterations === Infinity)
      .map((timing) => Number(timing.duration)),
  );
}

describe('what loops', () => {
  it.each(['attract', 'farewell-forgotten'])('in %s does so once a second at most', async (scene) => {
    await show(pages.portrait, recorded('es', scene), { still: false });
    const periods = await loops(pages.portrait);
    expect(periods).toHaveLength(1);
    expect(Math.min(...periods)).toBeGreaterThanOrEqual(1000);
  });

  it.each(['attract', 'farewell-forgotten'])('in %s stands where nothing is to move', async (scene) => {
    await show(pages.portrait, recorded('es', scene), { still: true });
    expect(await loops(pages.portrait)).toEqual([]);
  });

  // Every scene in one test: on a busy machine that takes longer than a test may.
  it('is nowhere else', { timeout: 180_000 }, async () => {
    const looping: string[] = [];
    for (const scene of scenes('es').filter((name) => !/^(attract|farewell-)/.test(name))) {
      await show(pages.landscape, recorded('es', scene), { still: false });
      if ((await loops(pages.landscape)).length > 0) looping.push(scene);
    }
    expect(looping).toEqual([]);
  });
});
