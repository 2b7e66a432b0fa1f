//! The three commands the screens may call.

#![expect(clippy::needless_pass_by_value, reason = "Tauri hands a command its arguments by value")]

use crate::wear::Wear;
use crate::{Heart, revival};
use kiosk::Handle;
use session::Action;
use session::wire::{Painting, Setup};
use std::time::Instant;
use tauri::ipc::Channel;
use tauri::{State, WebviewWindow};

/// The screens are loaded: what they are told once, and from now on every view goes down the channel.
#[tauri::command]
pub(crate) fn ui_ready(
    kiosk: State<'_, Handle>,
    heart: State<'_, Heart>,
    window: WebviewWindow,
    channel: Channel<Painting>,
) -> Setup {
    heart.pulse().loaded();
    let (heart, wear) = (Heart::clone(&heart), Wear::default());
    kiosk.attach(Box::new(move |painting| {
        if wear.shown(painting.view.screen.kind()) {
            heart.pulse().renewed(Instant::now());
            if let Err(error) = revival::renew(&window) {
                tracing::warn!(%error, "the page was not loaded afresh");
            }
            return;
        }
        heart.pulse().sent(painting.seq, Instant::now());
        if let Err(error) = channel.send(painting) {
            tracing::warn!(%error, "a view did not reach the screens");
        }
    }))
}

/// The citizen touched something.
#[tauri::command]
pub(crate) fn act(kiosk: State<'_, Handle>, action: Action) {
    kiosk.act(action);
}

/// The view with this number is on the glass.
#[tauri::command]
pub(crate) fn heartbeat(kiosk: State<'_, Handle>, heart: State<'_, Heart>, painted: u64) {
    heart.pulse().painted(painted, Instant::now());
    kiosk.painted(painted);
}
