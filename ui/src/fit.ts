// From the roomiest to the tightest. The last steps also shrink letters: a smaller word is read, a clipped one is not.
const STEPS = 8;

/**
 * Makes a screen fit its glass: raises `data-fit` on the element from 0 until nothing overflows. The stylesheet gives each
 * step less air, then less height for numbers and tiles, and letters only at the very end.
 */
export function fit(element: HTMLElement) {
  const measure = () => {
    for (let step = 0; step <= STEPS; step += 1) {
      element.dataset.fit = String(step);
      if (element.scrollHeight <= element.clientHeight + 1) return;
    }
  };
  // Both a repaint and a changed glass can overflow; the fonts arrive after the first layout.
  const changed = new MutationObserver(measure);
  changed.observe(element, { childList: true, characterData: true, subtree: true });
  const resized = typeof ResizeObserver === 'undefined' ? null : new ResizeObserver(measure);
  resized?.observe(element);
  document.fonts?.ready.then(measure);
  measure();
  return {
    destroy() {
      changed.disconnect();
      resized?.disconnect();
    },
  };
}
