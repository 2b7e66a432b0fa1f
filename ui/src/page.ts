import type { Setup, View } from './wire';

const RIGHT_TO_LEFT = /^(ar|fa|he|ur)(-|$)/;
const DEEP_SEA: View['screen']['kind'][] = ['attract', 'closed', 'farewell'];

/** A narrower glass has no room for words and values beside each other. */
const SMALL_MM = 230;

/** Sets what the terminal's glass dictates: millimetres, and whether anything moves. */
export function measure(setup: Setup): void {
  const page = document.documentElement;
  page.style.setProperty('--px-per-mm', String(setup.pxPerMm));
  page.dataset.glass = Math.min(innerWidth, innerHeight) / setup.pxPerMm < SMALL_MM ? 'small' : 'large';
  page.dataset.still = String(setup.still);
}

/** Sets what the view dictates for the whole page: its language, its direction, its theme and its letters. */
export function dress(view: View): void {
  const page = document.documentElement;
  // Most views change none of this, and the page is not to be measured anew for them.
  const set = (name: string, value: string) => page.getAttribute(name) !== value && page.setAttribute(name, value);
  const atSea = view.overlay?.kind === 'cover' || (!view.overlay && DEEP_SEA.includes(view.screen.kind));
  set('lang', view.lang);
  set('dir', RIGHT_TO_LEFT.test(view.lang) ? 'rtl' : 'ltr');
  set('data-theme', view.theme);
  set('data-letters', view.largeText ? 'large' : 'normal');
  set('data-mood', atSea ? 'sea' : 'sand');
}
