const FORWARD = ['ArrowDown', 'ArrowRight'];
const BACKWARD = ['ArrowUp', 'ArrowLeft'];

function reachable(page: Document): HTMLButtonElement[] {
  // Below an overlay all is inert.
  const scope = page.querySelector('[role=dialog]') ?? page;
  return [...scope.querySelectorAll<HTMLButtonElement>('button:enabled')];
}

function step(buttons: HTMLButtonElement[], by: 1 | -1): void {
  const from = buttons.findIndex((button) => button === document.activeElement);
  const start = from < 0 && by < 0 ? 0 : from;
  buttons.at((start + by + buttons.length) % buttons.length)?.focus();
}

/**
 * The tactile keypad beside the glass, which speaks as a keyboard: arrows walk through what can be touched, a digit presses
 * the button that bears it, Backspace presses the one marked as erasing. Returns what undoes it.
 */
export function keypad(target: Document): () => void {
  const heard = (event: KeyboardEvent) => {
    if (event.repeat || event.altKey || event.ctrlKey || event.metaKey) return;
    const buttons = reachable(target);
    if (buttons.length === 0) return;
    if (FORWARD.includes(event.key)) step(buttons, 1);
    else if (BACKWARD.includes(event.key)) step(buttons, -1);
    else if (/^\d$/.test(event.key)) buttons.find((button) => button.textContent?.trim() === event.key)?.click();
    else if (event.key === 'Backspace') buttons.find((button) => button.dataset.erases !== undefined)?.click();
    else return;
    event.preventDefault();
  };
  target.addEventListener('keydown', heard);
  return () => target.removeEventListener('keydown', heard);
}
