/** How long a counter takes from its first value to its last. Milliseconds. */
export const COUNT_MS = 560;

function still(): boolean {
  return document.documentElement.dataset.still === 'true' || matchMedia('(prefers-reduced-motion: reduce)').matches;
}

/** Counts once through the given values; `value` is null when there is nothing (more) to count, and the figure stands as it is. */
export function countedThrough(values: () => string[]): { readonly value: string | null } {
  let index = $state(-1);
  // Repaints bring equal arrays: only other values count again.
  const key = $derived(values().join('\u0000'));

  $effect.pre(() => {
    const steps = key === '' ? 0 : key.split('\u0000').length;
    if (steps < 2 || still()) return;
    index = 0;
    const timer = setInterval(() => {
      index += 1;
      if (index < steps - 1) return;
      index = -1;
      clearInterval(timer);
    }, COUNT_MS / (steps - 1));
    return () => {
      clearInterval(timer);
      index = -1;
    };
  });

  return {
    get value() {
      return values()[index] ?? null;
    },
  };
}
