import type { View } from './wire';

/** Which screen this is: views of the same place are patched in place and keep the focus, others are built anew. */
export function placeOf(view: View): string {
  const { screen } = view;
  const step = 'step' in screen && screen.step ? screen.step.current : 0;
  return [view.lang, screen.kind, step, screen.heading.text].join('\u0000');
}
