// Every screen at a desk, for designers and translators, in an ordinary browser. The terminal never loads this.
import { mount } from 'svelte';
import Preview from './Preview.svelte';
import './preview.css';

mount(Preview, { target: document.body });
