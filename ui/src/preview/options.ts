// What the preview shows, kept in the address: `#view=home&lang=ast&letters=large&theme=high-contrast&turn=landscape&glass=15.6`.
import type { Theme } from '../wire';

/** Glasses of terminals by their diagonal in inches, each 1080 by 1920, with their pixels to a millimetre. */
export const GLASSES: Record<string, number> = { '15.6': 5.56, '21.5': 4.03, '27': 3.21, '32': 2.71 };
export const TURNS = ['portrait', 'landscape'] as const;
export const LETTERS = ['normal', 'large'] as const;
export const THEMES: readonly Theme[] = ['standard', 'high-contrast'];

/** What is shown, and how. */
export interface Options {
  /** The recorded view; null for all of them. */
  view: string | null;
  lang: string;
  letters: (typeof LETTERS)[number];
  theme: Theme;
  turn: (typeof TURNS)[number];
  /** The diagonal, a key of `GLASSES`. */
  glass: string;
  /** Nothing moves. */
  still: boolean;
}

const one = <T extends string>(of: readonly T[], value: string | null, otherwise: T): T =>
  of.find((known) => known === value) ?? otherwise;

/** The options in an address; what is missing or unknown is the usual. */
export function read(hash: string, languages: readonly string[]): Options {
  const query = new URLSearchParams(hash.replace(/^#/, ''));
  return {
    view: query.get('view'),
    lang: one(languages, query.get('lang'), 'es'),
    letters: one(LETTERS, query.get('letters'), 'normal'),
    theme: one(THEMES, query.get('theme'), 'standard'),
    turn: one(TURNS, query.get('turn'), 'portrait'),
    glass: one(Object.keys(GLASSES), query.get('glass'), '27'),
    still: query.has('still'),
  };
}

/** The address for some options, without what is usual. */
export function write(options: Options): string {
  const usual = read('', [options.lang]);
  const query = new URLSearchParams();
  if (options.view) query.set('view', options.view);
  if (options.lang !== 'es') query.set('lang', options.lang);
  for (const key of ['letters', 'theme', 'turn', 'glass'] as const) {
    if (options[key] !== usual[key]) query.set(key, options[key]);
  }
  if (options.still) query.set('still', '');
  return `#${query}`;
}

/** The glass in CSS pixels. */
export function pixels({ turn }: Pick<Options, 'turn'>): { wide: number; high: number } {
  return turn === 'portrait' ? { wide: 1080, high: 1920 } : { wide: 1920, high: 1080 };
}
