// The only file that names Tauri.
import { Channel, invoke } from '@tauri-apps/api/core';
import type { Link } from './link';
import type { Painting, Setup } from './wire';

// A refused call has nowhere to go but the web process's own log.
const report = (error: unknown) => console.error(error);

/** The link to the shell: three commands and one channel. */
export const shell: Link = {
  open(paint) {
    const channel = new Channel<Painting>();
    channel.onmessage = paint;
    return invoke<Setup>('ui_ready', { channel });
  },
  act(action) {
    invoke('act', { action }).catch(report);
  },
  painted(seq) {
    invoke('heartbeat', { painted: seq }).catch(report);
  },
};
