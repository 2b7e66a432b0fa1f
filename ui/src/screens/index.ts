import type { Component } from 'svelte';
import type { Screen } from '../wire';
import Amount from './Amount.svelte';
import Attract from './Attract.svelte';
import Busy from './Busy.svelte';
import Closed from './Closed.svelte';
import Details from './Details.svelte';
import Done from './Done.svelte';
import Farewell from './Farewell.svelte';
import Home from './Home.svelte';
import Menu from './Menu.svelte';
import Pin from './Pin.svelte';
import Trouble from './Trouble.svelte';

type Shown<K extends Screen['kind']> = Component<{ screen: Extract<Screen, { kind: K }> }>;

/** One component for each kind of screen. */
export const screens: { [K in Screen['kind']]: Shown<K> } = {
  amount: Amount,
  attract: Attract,
  busy: Busy,
  closed: Closed,
  details: Details,
  done: Done,
  farewell: Farewell,
  home: Home,
  menu: Menu,
  pin: Pin,
  trouble: Trouble,
};
