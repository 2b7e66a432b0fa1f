import type { Notice, Screen, Text, View } from './wire';

function noticesOf(screen: Screen): Notice[] {
  if ('notices' in screen) return screen.notices;
  return 'notice' in screen && screen.notice ? [screen.notice] : [];
}

function textsOf(screen: Screen): Text[] {
  const notices = noticesOf(screen).flatMap((notice) => [notice.title, notice.text]);
  if (screen.kind === 'busy') return [screen.heading, screen.lead];
  if (screen.kind === 'amount') return screen.sum.filter((line) => line.total).flatMap((line) => [line.label, line.value]);
  return notices;
}

/** What changed without the focus moving, for the polite live region. Nothing private while the screen is covered. */
export function statusOf(view: View): string {
  const covered = view.overlay?.kind === 'cover';
  return textsOf(view.screen)
    .filter((text) => !(covered && text.private))
    .map((text) => text.text)
    .join(' ');
}
