//! The three commands the screens may call.

#![expect(clippy::needless_pass_by_value, reason = "Tauri hands a command its arguments by value")]

use kiosk::Handle;
use session::Action;
use session::wire::{Painting, Setup};
use tauri::State;
use tauri::ipc::Channel;

/// The screens are loaded: what they are told once, and from now on every view goes down the channel.
#[tauri::command]
pub(crate) fn ui_ready(kiosk: State<'_, Handle>, channel: Channel<Painting>) -> Setup {
    kiosk.attach(Box::new(move |painting| {
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
pub(crate) fn heartbeat(kiosk: State<'_, Handle>, painted: u64) {
    kiosk.painted(painted);
}
