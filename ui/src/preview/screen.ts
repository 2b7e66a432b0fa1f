// One recorded view as a terminal shows it, and nothing else. The address says which; tests hand in views themselves.
import { mount, unmount } from 'svelte';
import emblem from '../../views/emblem.svg?raw';
import App from '../App.svelte';
import type { Link } from '../link';
import type { Setup, View } from '../wire';
import { GLASSES, read, type Options } from './options';
import { languages, view as recorded } from './recorded';
import '../styles/fonts.css';
import '../styles/tokens.css';
import '../styles/base.css';

/** How a view is looked at. */
export type Looks = Pick<Options, 'letters' | 'theme' | 'glass' | 'still'>;

declare global {
  interface Window {
    /** Shows a view and waits until it is on the glass. */
    show(view: View, looks: Looks): Promise<void>;
  }
}

let shown: Record<string, unknown> | undefined;

function recording(view: View, setup: Setup, painted: () => void): Link {
  return {
    async open(paint) {
      paint({ seq: 1, view });
      return setup;
    },
    act: (action) => console.info(action),
    painted,
  };
}

window.show = async (view, { letters, theme, glass, still }) => {
  if (shown) await unmount(shown);
  const dressed: View = {
    ...view,
    largeText: view.largeText || letters === 'large',
    theme: theme === 'high-contrast' ? theme : view.theme,
  };
  const setup: Setup = { pxPerMm: GLASSES[glass] ?? 3.21, emblem, still };
  await document.fonts.ready;
  await new Promise<void>((painted) => {
    shown = mount(App, { target: document.body, props: { link: recording(dressed, setup, painted) } });
  });
  // A face used for the first time is fetched now, and the screen fitted to it.
  await document.fonts.ready;
};

async function follow(): Promise<void> {
  const options = read(location.hash, languages);
  const view = options.view && (await recorded(options.lang, options.view));
  if (view) await window.show(view, options);
}

addEventListener('hashchange', follow);
await follow();
