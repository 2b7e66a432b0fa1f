// One recorded view as a terminal shows it, and nothing else. The address says which; tests hand in views themselves.
import { flushSync, mount, tick, unmount } from 'svelte';
import emblem from '../../views/emblem.svg?raw';
import App from '../App.svelte';
import type { Link } from '../link';
import type { Painting, Setup, View } from '../wire';
import { GLASSES, read, type Options } from './options';
import { languages, view as recorded } from './recorded';
import '../styles/fonts.css';
import '../styles/tokens.css';
import '../styles/base.css';

/** How a view is looked at. */
export type Looks = Pick<Options, 'letters' | 'theme' | 'glass' | 'still'>;

declare global {
  interface Window {
    /** Shows a view and waits until it stands. */
    show(view: View, looks: Looks): Promise<void>;
    /** Paints the next view on the screen that stands, as the terminal does. */
    paint(view: View): Promise<void>;
  }
}

let shown: Record<string, unknown> | undefined;
let paint: (painting: Painting) => void = () => {};
let seq = 0;

const link = (setup: Setup): Link => ({
  async open(next) {
    paint = next;
    return setup;
  },
  act: (action) => console.info(action),
  painted: () => {},
});

/** Once it is laid out and its letters are there. What is measured need not wait for the glass. */
async function stands(): Promise<void> {
  await tick();
  flushSync();
  // Asking for a place lays the page out, which asks for the faces it needs; they fit the screen anew.
  document.body.getBoundingClientRect();
  await document.fonts.ready;
}

window.paint = async (view) => {
  seq += 1;
  paint({ seq, view });
  await stands();
};

window.show = async (view, { letters, theme, glass, still }) => {
  if (shown) await unmount(shown);
  const dressed: View = {
    ...view,
    largeText: view.largeText || letters === 'large',
    theme: theme === 'high-contrast' ? theme : view.theme,
  };
  const setup: Setup = { pxPerMm: GLASSES[glass] ?? 3.21, emblem, still };
  shown = mount(App, { target: document.body, props: { link: link(setup) } });
  // The screen asks for its first view once it is mounted.
  flushSync();
  await window.paint(dressed);
};

async function follow(): Promise<void> {
  const options = read(location.hash, languages);
  const view = options.view && (await recorded(options.lang, options.view));
  if (view) await window.show(view, options);
}

addEventListener('hashchange', follow);
await follow();
