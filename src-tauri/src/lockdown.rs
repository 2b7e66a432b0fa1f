//! What the page cannot forbid by itself: the web view's own menu, pinch zoom and wheel zoom, developer tools.

use gtk::gdk::{EventSequence, EventType};
use gtk::glib::Propagation;
use gtk::prelude::WidgetExt;
use std::cell::RefCell;
use std::time::{Duration, Instant};
use webkit2gtk::{SettingsExt, WebView, WebViewExt};

/// A finger that lies longer than this is no touch; the next one counts.
const FORGOTTEN: Duration = Duration::from_secs(5);

pub(crate) fn apply(view: &WebView) {
    if let Some(settings) = WebViewExt::settings(view) {
        settings.set_enable_developer_extras(false);
        settings.set_enable_back_forward_navigation_gestures(false);
        settings.set_enable_html5_database(false);
        settings.set_enable_html5_local_storage(false);
        settings.set_enable_page_cache(false);
    }
    view.connect_context_menu(|_, _, _, _| true);
    one_finger_only(view);
    no_wheel_zoom(view);
}

/// Every errand is done by single touches; a second finger would only zoom. The first finger is passed on from its
/// beginning to its end, every other one not at all, so that the page never waits for an end it does not get.
fn one_finger_only(view: &WebView) {
    let accepted = RefCell::new(None::<(EventSequence, Instant)>);
    view.connect_touch_event(move |_, event| {
        let Some(sequence) = event.event_sequence() else { return Propagation::Proceed };
        let mut accepted = accepted.borrow_mut();
        // An end that was lost must not silence the screen.
        let free = accepted.as_ref().is_none_or(|(_, since)| since.elapsed() > FORGOTTEN);
        if event.event_type() == EventType::TouchBegin && free {
            *accepted = Some((sequence, Instant::now()));
            return Propagation::Proceed;
        }
        if accepted.as_ref().is_none_or(|(first, _)| *first != sequence) {
            return Propagation::Stop;
        }
        if matches!(event.event_type(), EventType::TouchEnd | EventType::TouchCancel) {
            *accepted = None;
        }
        Propagation::Proceed
    });
}

fn no_wheel_zoom(view: &WebView) {
    view.connect_scroll_event(|_, event| {
        let zooms = event.state().contains(gtk::gdk::ModifierType::CONTROL_MASK);
        if zooms { Propagation::Stop } else { Propagation::Proceed }
    });
}
