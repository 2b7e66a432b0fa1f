import { getContext, setContext } from 'svelte';
import type { Action, Button } from './wire';

/** A second press of the same button within this time is a trembling hand, not a wish. Milliseconds. */
export const SAME_BUTTON_MS = 300;

/** A press this soon after the screen has changed was meant for the screen before. Milliseconds. */
export const NEW_SCREEN_MS = 400;

/** Sends a button's action. */
export type Press = (button: Button) => void;

const KEY = Symbol('press');

/** Makes a press that swallows repeats of the same button; `now` in milliseconds. */
export function pressing(act: (action: Action) => void, now: () => number = () => performance.now()): Press {
  let last = { id: '', at: Number.NEGATIVE_INFINITY };
  return (button) => {
    const at = now();
    if (!button.enabled || (button.id === last.id && at - last.at < SAME_BUTTON_MS)) return;
    last = { id: button.id, at };
    act(button.action);
  };
}

/** Gives every button below this component its press. */
export function providePress(press: Press): void {
  setContext(KEY, press);
}

/** The press given by the component above. */
export function usePress(): Press {
  return getContext<Press>(KEY);
}
