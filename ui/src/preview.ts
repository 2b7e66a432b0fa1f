// Recorded views at a desk, for design: `?view=home&large&contrast&still&mm=3.21`, and without a view the gallery.
import { mount } from 'svelte';
import emblem from '../views/emblem.svg?raw';
import App from './App.svelte';
import Gallery from './Gallery.svelte';
import type { Link } from './link';
import type { View } from './wire';
import './styles/fonts.css';
import './styles/tokens.css';
import './styles/base.css';

const views = import.meta.glob<View>('../views/*.json', { eager: true, import: 'default' });
const names = Object.keys(views).map((path) => path.slice('../views/'.length, -'.json'.length));
const query = new URLSearchParams(location.search);
const chosen = query.get('view');
const recorded = chosen === null ? undefined : views[`../views/${chosen}.json`];

const recording = (view: View): Link => ({
  async open(paint) {
    paint({
      seq: 1,
      view: {
        ...view,
        largeText: view.largeText || query.has('large'),
        theme: query.has('contrast') ? 'high-contrast' : view.theme,
      },
    });
    return { pxPerMm: Number(query.get('mm') ?? 3.21), emblem, still: query.has('still') };
  },
  act: (action) => console.info(action),
  painted: () => {},
});

if (recorded) mount(App, { target: document.body, props: { link: recording(recorded) } });
else mount(Gallery, { target: document.body, props: { names } });
