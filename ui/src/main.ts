import { mount } from 'svelte';
import App from './App.svelte';
import { shell } from './ipc';
import './styles/fonts.css';
import './styles/tokens.css';
import './styles/base.css';

if (import.meta.env.DEV && !('__TAURI_INTERNALS__' in window)) {
  location.replace('/preview.html');
} else {
  mount(App, { target: document.body, props: { link: shell } });
}
