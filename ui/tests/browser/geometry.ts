// Geometry on the glass, for every screen: what is measured, with which limits, and how it is told.
import type { Page } from 'playwright-core';
import { GLASSES, type Options } from '../../src/preview/options';
import type { Looks } from '../../src/preview/screen';
import type { Button, View } from '../../src/wire';
import { show } from './glass';
import type { Finding, Limits } from './page';
import type { Place } from './page/targets';

/** In portrait what can be done lies in the lower 45 %; in landscape the upper fifth is the line of reach. */
const REACH = { portrait: 0.55, landscape: 0.2 };
/** The smallest letters in millimetres: a note. */
const NOTE = 7;
/** Large letters are so much larger. */
const LARGE = 1.4;

/** Looks in which a screen is measured, by their name in the findings. */
export const LOOKS: Record<string, Partial<Looks>> = {
  standard: {},
  'large letters': { letters: 'large' },
  'high contrast': { theme: 'high-contrast' },
};

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
  const large = view.largeText || looks.letters === 'large';
  return {
    pxPerMm: GLASSES[looks.glass ?? '27']!,
    main: main(view),
    reach: REACH[turn],
    letters: large ? NOTE * LARGE : NOTE,
  };
}

/** Shows a view and measures it. */
export async function measure(page: Page, view: View, turn: Options['turn'], looks: Partial<Looks>) {
  await show(page, view, looks);
  return inspect(page, limitsOf(view, turn, looks));
}

/** Measures what stands. */
export function inspect(page: Page, limits: Limits): Promise<{ findings: Finding[]; tools: Record<string, Place> }> {
  return page.evaluate((limits) => window.measures.inspect(limits), limits);
}

/** One line for each finding. */
export function told(findings: Finding[], where: string): string[] {
  return findings.map(({ check, what, found }) => `${where} | ${check} | ${what} | ${found}`);
}
