// What changes on a screen that stands leaves it as if it had come so: fitted anew, with nothing clipped.
import { expect, it } from 'vitest';
import { inspect, limitsOf } from './geometry';
import { glasses, show } from './glass';
import { recorded } from './recordings';
import { TURNS } from '../../src/preview/options';

const pages = glasses();
const STANDING = ['home', 'amount', 'services', 'document', 'pin', 'unclear-p-04', 'home-help'];

it.each(STANDING)('%s with letters made large while it stands is as if it had come so', async (scene) => {
  const view = recorded('es', scene);
  const large = { ...view, largeText: true };
  for (const turn of TURNS) {
    const page = pages[turn];
    const limits = limitsOf(large, turn, {});
    await show(page, large);
    const fresh = await inspect(page, limits);
    await show(page, view);
    await page.evaluate((view) => window.paint(view), large);
    expect(await inspect(page, limits)).toEqual(fresh);
  }
});

it.each(STANDING)('%s with letters made normal again is as it was', async (scene) => {
  const view = recorded('es', scene);
  for (const turn of TURNS) {
    const page = pages[turn];
    const limits = limitsOf(view, turn, {});
    await show(page, view);
    const before = await page.evaluate(() => document.querySelector('[data-fit]')?.getAttribute('data-fit'));
    const places = await inspect(page, limits);
    await show(page, { ...view, largeText: true });
    await page.evaluate((view) => window.paint(view), view);
    expect(await page.evaluate(() => document.querySelector('[data-fit]')?.getAttribute('data-fit'))).toBe(before);
    expect(await inspect(page, limits)).toEqual(places);
  }
});
