import { cleanup, render, waitFor } from '@testing-library/svelte';
import { tick } from 'svelte';
import { afterEach } from 'vitest';
import App from '../src/App.svelte';
import type { Link } from '../src/link';
import type { Action, Painting, Setup, View } from '../src/wire';

/** In the default language; the browser's tests see the others. */
const recorded = import.meta.glob<View>('../views/es/*.json', { eager: true, import: 'default' });

/** The names of all scenes. */
export const names = Object.keys(recorded).map((path) => path.slice('../views/es/'.length, -'.json'.length));

/** A copy of a recorded view, with what the test changes in it. */
export function view(name: string, change: Partial<View> = {}): View {
  const found = recorded[`../views/es/${name}.json`];
  if (!found) throw new Error(`no recorded view is called ${name}`);
  return { ...structuredClone(found), ...change };
}

afterEach(cleanup);

const SETUP: Setup = { pxPerMm: 4, emblem: '<svg xmlns="http://www.w3.org/2000/svg"/>', still: true };

/** The screens, driven by a recorder in the shell's place. */
export async function kiosk(first: View, setup: Partial<Setup> = {}) {
  const sent: Action[] = [];
  const painted: number[] = [];
  let paint: (painting: Painting) => void = () => {};
  let seq = 0;
  const link: Link = {
    async open(callback) {
      paint = callback;
      return { ...SETUP, ...setup };
    },
    act: (action) => sent.push(action),
    painted: (number) => painted.push(number),
  };
  const show = async (next: View) => {
    seq += 1;
    paint({ seq, view: next });
    await tick();
  };
  const screens = render(App, { props: { link } });
  await tick();
  await show(first);
  return { ...screens, sent, painted, show, root: () => screens.container.querySelector<HTMLElement>('.kiosk')! };
}

/** Two frames, after which a view counts as painted. */
export async function twoFrames(): Promise<void> {
  for (let frame = 0; frame < 2; frame += 1) await new Promise((done) => requestAnimationFrame(done));
}

/** The screen has stood long enough for a touch to be meant for it. */
export async function settled(): Promise<void> {
  await waitFor(() => {
    if (!document.querySelector('[data-settled=true]')) throw new Error('not settled');
  });
}
