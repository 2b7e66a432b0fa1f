/** Keeps the page a terminal: no menu, no selection, no drag, no key repeat. Returns what undoes it. */
export function guard(target: Document): () => void {
  const refuse = (event: Event) => event.preventDefault();
  const refuseRepeat = (event: KeyboardEvent) => {
    if (event.repeat) event.preventDefault();
  };
  const kinds = ['contextmenu', 'selectstart', 'dragstart', 'drop', 'dragover'];
  for (const kind of kinds) target.addEventListener(kind, refuse);
  target.addEventListener('keydown', refuseRepeat, true);
  return () => {
    for (const kind of kinds) target.removeEventListener(kind, refuse);
    target.removeEventListener('keydown', refuseRepeat, true);
  };
}
