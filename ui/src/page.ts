import type { Setup, View } from './wire';

const RIGHT_TO_LEFT = /^(ar|fa|he|ur)(-|$)/;
const DEEP_SEA: View['screen']['kind'][] = ['attract', 'closed', 'farewell'];

/** Sets what the terminal's glass dictates: millimetres, and whether anything moves. */
export function measure(setup: Setup): void {
  const page = document.documentElement;
  page.style.setProperty('--px-per-mm', String(setup.pxPerMm));
  page.dataset.still = String(setup.still);
}

/** Sets what the view dictates for the whole page: its language, its direction, its theme and its letters. */
export function dress(view: View): void {
  const page = document.documentElement;
  page.lang = view.lang;
  page.dir = RIGHT_TO_LEFT.test(view.lang) ? 'rtl' : 'ltr';
  page.dataset.theme = view.theme;
  page.dataset.letters = view.largeText ? 'large' : 'normal';
  page.dataset.mood = view.overlay?.kind === 'cover' || (!view.overlay && DEEP_SEA.includes(view.screen.kind)) ? 'sea' : 'sand';
}
