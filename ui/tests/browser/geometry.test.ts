// Every screen in every language lies on the glass as it must: in both orientations, in every look, and on a small glass.
import { describe, it } from 'vitest';
import { measure, told, LOOKS } from './geometry';
import { glasses } from './glass';
import { expectNothing } from './nothing';
import type { Place } from './page/targets';
import { languages, recorded, scenes } from './recordings';
import { TURNS, type Options } from '../../src/preview/options';
import type { Looks } from '../../src/preview/screen';

const pages = glasses();
const SMALL: Partial<Looks> = { glass: '15.6' };

/** Where each tool was first seen, by orientation and look. Back and finish share a place. */
const first = new Map<string, Place>();

function moved(tools: Record<string, Place>, turn: Options['turn'], look: string): string[] {
  return Object.entries(tools).flatMap(([id, place]) => {
    const key = `${turn} ${look} ${id === 'back' ? 'finish' : id}`;
    const home = first.get(key) ?? place;
    first.set(key, home);
    const by = Math.max(...(Object.keys(home) as (keyof Place)[]).map((side) => Math.abs(home[side] - place[side])));
    return by > 0.5 ? [`${turn}, ${look} | place | ${id} | moved by ${by.toFixed(1)} mm`] : [];
  });
}

describe.each(languages)('in %s', (lang) => {
  it.each(scenes(lang))('%s lies on the glass as it must', async (scene) => {
    const view = recorded(lang, scene);
    const found: string[] = [];
    for (const turn of TURNS) {
      for (const [look, looks] of [...Object.entries(LOOKS), ['15.6 inches', SMALL] as const]) {
        const { findings, tools } = await measure(pages[turn], view, turn, looks);
        found.push(...told(findings, `${turn}, ${look}`), ...moved(tools, turn, look));
      }
    }
    expectNothing(found);
  });
});
