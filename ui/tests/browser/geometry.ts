// Geometry on the glass, for every screen: what is measured, with which limits, and how it is told.
import type { Page } from 'playwright-core';
import { GLASSES, type Options } from '../../src/preview/options';
import type { Looks } from '../../src/preview/screen';
import type { Button, View } from '../../src/wire';
import { all } from './glass';
import type { Finding, Limits } from './page';
import type { Place } from './page/targets';

/** In portrait what can be done lies in the lower 45 %; in landscape the upper fifth is the line of reach. */
const REACH = { portrait: 0.55, landscape: 0.2 };
/**
 * The smallest letters in millimetres, a note: a capital H, 0.714 of it, is seen at 0.7 degrees (EN 301 549, 5.1.4) from 41 cm,
 * and from 35 cm on the small glass lying across, where the hand brings the eye nearer.
 */
const NOTE = 7;
const NOTE_ACROSS_SMALL = 6;
/** Large letters are so much larger. */
const LARGE = 1.4;
/** Its single words are longer than those of any language, and may give the enlargement back where a button is too narrow. */
const PSEUDO = 'en-XA';

function* buttons(value: unknown): Generator<Button> {
  if (typeof value !== 'object' || value === null) return;
  if ('id' in value && 'action' in value) yield value as Button;
  for (const inner of Object.values(value)) yield* buttons(inner);
}

/** The main actions of a view: what pays, confirms, finishes; and the keys of a pad. */
function main(view: View): string[] {
  const toned = [...buttons(view)].filter(({ tone }) => tone !== 'plain');
  const keys = view.screen.kind === 'pin' ? view.screen.keys : [];
  return [...toned, ...keys].map(({ id }) => id);
}

/** What a view must keep to. */
export function limitsOf(view: View, turn: Options['turn'], looks: Partial<Looks>): Limits {
  const large = (view.largeText || looks.letters === 'large') && view.lang !== PSEUDO;
  const note = turn === 'landscape' && looks.glass === '15.6' ? NOTE_ACROSS_SMALL : NOTE;
  return {
    pxPerMm: GLASSES[looks.glass ?? '27']!,
    main: main(view),
    reach: REACH[turn],
    letters: large ? note * LARGE : note,
  };
}

/** What was measured in one look. */
export interface Measured {
  look: string;
  findings: Finding[];
  tools: Record<string, Place>;
}

/** Shows a view in several looks, by their names, and measures each. In one go: the page is faster than the way to it. */
export function measure(page: Page, view: View, turn: Options['turn'], ways: Record<string, Partial<Looks>>): Promise<Measured[]> {
  const steps = Object.entries(ways).map(([look, looks]) => ({ look, looks: all(looks), limits: limitsOf(view, turn, looks) }));
  return page.evaluate(
    async ({ view, steps }) => {
      const measured = [];
      for (const { look, looks, limits } of steps) {
        await window.show(view, looks);
        measured.push({ look, ...window.measures.inspect(limits) });
      }
      return measured;
    },
    { view, steps },
  );
}

/** Measures what stands. */
export function inspect(page: Page, limits: Limits): Promise<{ findings: Finding[]; tools: Record<string, Place> }> {
  return page.evaluate((limits) => window.measures.inspect(limits), limits);
}

/** One line for each finding. */
export function told(findings: Finding[], where: string): string[] {
  return findings.map(({ check, what, found }) => `${where} | ${check} | ${what} | ${found}`);
}
