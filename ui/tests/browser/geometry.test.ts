// Every screen in every language lies on the glass as it must: in both orientations, in every look, and on a small glass.
import { describe, it } from 'vitest';
import { measure, told } from './geometry';
import { glasses } from './glass';
import { expectNothing } from './nothing';
import type { Place } from './page/targets';
import { languages, recorded, scenes } from './recordings';
import { TURNS } from '../../src/preview/options';
import type { Looks } from '../../src/preview/screen';

const pages = glasses();

const USUAL = { standard: {}, 'large letters': { letters: 'large' } } as const;
/** Words change no colour: the theme of high contrast is measured in one language. */
const COLOURS = { 'high contrast': { theme: 'high-contrast' } } as const;
/** The small glass, in the languages that are spoken: the longer texts are for the usual one. */
const SMALL = { '15.6 inches': { glass: '15.6' } } as const;

function ways(lang: string): Record<string, Partial<Looks>> {
  return { ...USUAL, ...(lang === 'es' && COLOURS), ...(lang !== 'en-XA' && SMALL) };
}

/** Where each tool was first seen, by language, orientation and look. Back and finish share a place. */
const first = new Map<string, Place>();

function moved(tools: Record<string, Place>, lang: string, where: string): string[] {
  return Object.entries(tools).flatMap(([id, place]) => {
    const key = `${lang}, ${where}, ${id === 'back' ? 'finish' : id}`;
    const home = first.get(key) ?? place;
    first.set(key, home);
    const by = Math.max(...(Object.keys(home) as (keyof Place)[]).map((side) => Math.abs(home[side] - place[side])));
    return by > 0.5 ? [`${where} | place | ${id} | moved by ${by.toFixed(1)} mm`] : [];
  });
}

describe.each(languages)('in %s', (lang) => {
  it.each(scenes(lang))('%s lies on the glass as it must', async (scene) => {
    const view = recorded(lang, scene);
    const found: string[] = [];
    for (const turn of TURNS) {
      for (const { look, findings, tools } of await measure(pages[turn], view, turn, ways(lang))) {
        const where = `${turn}, ${look}`;
        found.push(...told(findings, where), ...moved(tools, lang, where));
      }
    }
    expectNothing(found);
  });
});
