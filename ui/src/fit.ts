/** From 0, the roomiest, to this, see base.css. The last steps also shrink letters: a smaller word is read, a clipped one is not. */
export const TIGHTEST = 11;

/** Up to this step letters keep their size or nearly so: they are not made small only to bring buttons closer to the hand. */
const LETTERS_KEPT = 5;

/** In portrait what can be touched lies in the lower 45 % of the glass. */
function withinReach(element: HTMLElement): boolean {
  const { innerHeight, innerWidth } = window;
  const first = innerHeight > innerWidth && element.querySelector('[data-doing] button');
  return !first || first.getBoundingClientRect().top >= innerHeight * 0.55 - 1;
}

/** The lowest step at which nothing overflows; each question costs one layout, so the answer is halved out. */
export function loosest(fits: (step: number) => boolean, from = 0): number {
  if (from >= TIGHTEST || fits(from)) return from;
  let [low, high] = [from + 1, TIGHTEST];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * Makes a screen fit its glass: raises `data-fit` on the element until nothing overflows and all is within reach. The stylesheet gives each step less
 * air, then less height for numbers and tiles, and letters only at the very end. While one screen stands it only gets tighter,
 * so that nothing jumps under a finger, and a repaint that fits costs one layout, which the paint needs anyway.
 */
export function fit(element: HTMLElement) {
  let step = 0;
  let size = '';
  const set = (next: number) => {
    step = next;
    if (element.dataset.fit !== String(next)) element.dataset.fit = String(next);
  };
  const fits = (next: number) => {
    set(next);
    if (element.scrollHeight > element.clientHeight + 1 || element.scrollWidth > element.clientWidth + 1) return false;
    return next >= LETTERS_KEPT || withinReach(element);
  };
  const settle = (from: number) => {
    set(loosest(fits, from));
    size = `${element.clientWidth} ${element.clientHeight}`;
  };
  const changed = new MutationObserver(() => settle(step));
  changed.observe(element, { childList: true, characterData: true, subtree: true });
  // Larger letters are set on the page, and the strips around the screen may grow with them.
  const dressed = new MutationObserver(() => settle(0));
  dressed.observe(document.documentElement, { attributeFilter: ['data-letters'] });
  const resized =
    typeof ResizeObserver === 'undefined'
      ? null
      : new ResizeObserver(() => size !== `${element.clientWidth} ${element.clientHeight}` && settle(0));
  resized?.observe(element);
  // The fonts arrive after the first layout of the first screen.
  if (document.fonts?.status === 'loading') document.fonts.ready.then(() => element.isConnected && settle(0));
  settle(0);
  return {
    destroy() {
      changed.disconnect();
      dressed.disconnect();
      resized?.disconnect();
    },
  };
}
