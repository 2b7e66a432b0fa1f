//! Carries out what the page's pulse calls for: a web process that died, which is silent on Linux, and one that hangs,
//! are replaced by loading the page again. The visit goes on: its state is not in the page.

use crate::Heart;
use crate::pulse::Verdict;
use gtk::glib::{ControlFlow, WeakRef, timeout_add_seconds_local};
use gtk::prelude::ObjectExt;
use std::time::Instant;
use tauri::WebviewWindow;
use webkit2gtk::{WebProcessTerminationReason, WebView, WebViewExt};

/// The exit code that tells systemd that the screens did not come back.
const EXIT_SCREENS: i32 = 70;
/// Between two looks at the pulse.
const LOOK_EVERY_S: u32 = 1;

/// `watched`: a hanging page is looked for too, not only a dead one.
pub(crate) fn arrange(view: &WebView, heart: Heart, watched: bool) {
    let felt = heart.clone();
    view.connect_web_process_terminated(move |view, reason| {
        if reason == WebProcessTerminationReason::TerminatedByApi {
            // Ended below: a hanging one is counted there, and a worn one is nobody's fault.
            return view.reload();
        }
        tracing::error!(?reason, "the web process ended");
        let verdict = felt.pulse().gone(Instant::now());
        follow(verdict, || view.reload());
    });
    if watched {
        look_for_hanging(view.downgrade(), heart);
    }
}

/// Gives the screens a web process of their own again. Loading the page anew in the old one leaves over a megabyte
/// behind each time.
pub(crate) fn renew(window: &WebviewWindow) -> tauri::Result<()> {
    window.with_webview(|webview| webview.inner().terminate_web_process())
}

fn look_for_hanging(view: WeakRef<WebView>, heart: Heart) {
    timeout_add_seconds_local(LOOK_EVERY_S, move || {
        let Some(view) = view.upgrade() else { return ControlFlow::Break };
        let verdict = heart.pulse().look(Instant::now());
        follow(verdict, || {
            tracing::error!("the screens do not answer: the web process is ended");
            view.terminate_web_process();
        });
        ControlFlow::Continue
    });
}

fn follow(verdict: Verdict, reload: impl FnOnce()) {
    match verdict {
        Verdict::Alive => {}
        Verdict::Reload => reload(),
        Verdict::GiveUp => {
            tracing::error!("the screens do not come back: the program starts afresh");
            std::process::exit(EXIT_SCREENS);
        }
    }
}
