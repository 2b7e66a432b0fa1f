//! What the card holds, and what one can do.

use super::notices;
use super::words::{Words, private};
use crate::Session;
use crate::action::Action;
use crate::flow::{documents, top_up};
use crate::view::{Button, Figure, Icon, Notice, Screen, Text, Tone};
use domain::FailureCode;
use locale::Value;

pub(crate) fn screen(session: &Session, words: &Words) -> Screen {
    let top_up = tile(words, "top-up", "home-top-up", Icon::TopUp, Action::TopUp);
    let waits = documents::obstacle(session).is_none() && documents::is_record_awaited(session);
    let papers = tile(words, "documents", "home-documents", Icon::Document, Action::Documents);
    let mut tiles = vec![
        tile_unless(Button { tone: Tone::Primary, ..top_up }, words, top_up::obstacle(session)),
        tile_unless(papers, words, documents::obstacle(session)).enabled(!waits),
    ];
    if session.simple_view {
        tiles.push(tile(words, "more", "home-more", Icon::List, Action::More));
    } else {
        tiles.extend(readings(session, words));
    }
    Screen::Home {
        balance: balance(session, words),
        notices: notices::of_visit(session, words),
        heading: words.text("home-heading"),
        tiles,
    }
}

/// The second half of the home screen, in the simple view.
pub(crate) fn more(session: &Session, words: &Words) -> Screen {
    Screen::Menu {
        step: None,
        heading: words.text("home-heading"),
        lead: None,
        notices: Vec::new(),
        items: readings(session, words),
    }
}

/// What is there to be read. A card of the first kind keeps no movements.
fn readings(session: &Session, words: &Words) -> Vec<Button> {
    let services = tile(words, "services", "home-services", Icon::City, Action::Services);
    let movements = tile(words, "movements", "home-movements", Icon::List, Action::Movements);
    let kept = (!session.has_classic()).then_some(movements);
    [Some(services), kept].into_iter().flatten().collect()
}

fn tile(words: &Words, id: &str, key: &str, icon: Icon, action: Action) -> Button {
    words.button(id, key, Tone::Plain, action).icon(icon).hint(words.text(&format!("{key}-hint")))
}

/// A tile always leads somewhere: what cannot be done now says so here, and the screen behind it says what to do.
fn tile_unless(tile: Button, words: &Words, obstacle: Option<FailureCode>) -> Button {
    match obstacle {
        None => tile,
        Some(code) => tile.hint(words.text(not_now(code))),
    }
}

fn not_now(code: FailureCode) -> &'static str {
    use FailureCode as F;
    match code {
        F::PaymentAbsent | F::PaymentBlocked => "home-not-now-payment",
        F::PaperOut => "home-not-now-paper",
        F::PrinterAbsent | F::PaperJam | F::PrinterOpen | F::PrintRefused | F::PrinterFault => "home-not-now-printer",
        F::JournalUnreadable | F::DiskFull | F::ClockWrong => "home-not-now-terminal",
        F::RecordMissing | F::RecordCorrupt | F::RecordStale | F::FeedTooOld | F::CacheUnreadable => {
            "home-not-now-data"
        }
        F::CentralUnreachable => "home-not-now-network",
        F::CardOld => "home-not-now-card",
        // What concerns the person alone is not written on a tile.
        _ => "home-not-now-ask",
    }
}

fn balance(session: &Session, words: &Words) -> Option<Figure> {
    let purse = session.visit.as_ref()?.purse?;
    if session.purse_needs_check() {
        return None;
    }
    Some(Figure {
        label: words.text("home-balance"),
        value: private(words.money(purse)),
        source: words.text("home-balance-source"),
        counting: Vec::new(),
    })
}

/// How old the figures are: a plain line while they are fresh, a notice once they are old.
pub(crate) fn age(session: &Session, words: &Words, as_of: domain::Timestamp) -> (Option<Text>, Option<Notice>) {
    let text = moment(session, words, as_of);
    let old_ms = i64::from(session.terminal.pack.freshness.notice_hours) * 3_600_000;
    if session.now.wall.0 - as_of.0 < old_ms {
        (Some(words.text_with("notice-as-of-title", &[("as-of", text.into())])), None)
    } else {
        (None, Some(words.notice(Icon::Clock, "notice-as-of", None, &[("as-of", text.into())])))
    }
}

/// "Today at 12:48", or the date and the time.
pub(crate) fn moment(session: &Session, words: &Words, at: domain::Timestamp) -> String {
    let language = words.language();
    let (day, time) = (language.local_day(at), language.time_of_day(at));
    let hour = time.split(':').next().and_then(|hour| hour.parse().ok()).unwrap_or(0);
    let mut values = vec![("hour", Value::Count(hour)), ("time", time.as_str().into())];
    if day == language.local_day(session.now.wall) {
        return language.text_with("common-moment-today", &values);
    }
    values.push(("date", language.date_short(day).into()));
    language.text_with("common-moment", &values)
}
