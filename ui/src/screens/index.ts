import type { Component } from 'svelte';
import type { Screen } from '../wire';
import Amount from './Amount.svelte';
import Attract from './Attract.svelte';
import Closed from './Closed.svelte';
import Details from './Details.svelte';
import Home from './Home.svelte';
import Menu from './Menu.svelte';
import Outcome from './Outcome.svelte';
import Pin from './Pin.svelte';
import Poster from './Poster.svelte';
import Receipt from './Receipt.svelte';
import Ruler from './Ruler.svelte';

type Shown<K extends Screen['kind']> = Component<{ screen: Extract<Screen, { kind: K }> }>;

/** The component for each kind of screen. */
export const screens: { [K in Screen['kind']]: Shown<K> } = {
  amount: Amount,
  attract: Attract,
  busy: Poster,
  closed: Closed,
  details: Details,
  done: Outcome,
  farewell: Poster,
  home: Home,
  menu: Menu,
  pin: Pin,
  receipt: Receipt,
  ruler: Ruler,
  trouble: Outcome,
};
