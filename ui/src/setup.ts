import { getContext, setContext } from 'svelte';
import type { Setup } from './wire';

const KEY = Symbol('setup');

/** Gives every component below this one the terminal's setup, once it is there. */
export function provideSetup(setup: () => Setup | null): void {
  setContext(KEY, setup);
}

/** The terminal's setup, given by the component above. */
export function useSetup(): () => Setup | null {
  return getContext<() => Setup | null>(KEY);
}
