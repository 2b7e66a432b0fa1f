//! What the card holds, and what one can do.

use super::attract;
use super::words::{Words, plain, private};
use crate::Session;
use crate::action::Action;
use crate::flow::top_up;
use crate::view::{Button, Figure, Icon, Notice, Screen, Text, Tone};
use domain::FailureCode;
use ledger::check_purse;
use locale::Value;

pub(crate) fn screen(session: &Session, words: &Words) -> Screen {
    Screen::Home {
        balance: balance(session, words),
        notices: notices(session, words),
        heading: words.text("home-heading"),
        tiles: vec![
            top_up_tile(session, words),
            tile(words, "documents", "home-documents", Icon::Document, Action::Documents),
            tile(words, "services", "home-services", Icon::City, Action::Services),
            tile(words, "movements", "home-movements", Icon::List, Action::Movements),
        ],
    }
}

fn tile(words: &Words, id: &str, key: &str, icon: Icon, action: Action) -> Button {
    words.button(id, key, Tone::Plain, action).icon(icon).hint(words.text(&format!("{key}-hint")))
}

fn top_up_tile(session: &Session, words: &Words) -> Button {
    let tile = tile(words, "top-up", "home-top-up", Icon::TopUp, Action::TopUp);
    let tile = Button { tone: Tone::Primary, ..tile };
    match top_up::obstacle(session) {
        None => tile,
        Some(FailureCode::PaymentAbsent | FailureCode::PaymentBlocked) => {
            tile.hint(words.text("home-top-up-not-now")).enabled(false)
        }
        // The screen behind it says what is wrong and where to go.
        Some(_) => tile.hint(words.text("home-top-up-ask")),
    }
}

fn balance(session: &Session, words: &Words) -> Option<Figure> {
    let purse = session.visit.as_ref()?.purse?;
    if check_purse(&session.terminal.pack.purse, purse).is_err() {
        return None;
    }
    Some(Figure {
        label: words.text("home-balance"),
        value: private(words.money(purse)),
        source: words.text("home-balance-source"),
        counting: Vec::new(),
    })
}

fn notices(session: &Session, words: &Words) -> Vec<Notice> {
    let mut notices = attract::notices(session, words);
    let Some(visit) = &session.visit else { return notices };
    if let Some(amount) = visit.settled {
        let money = words.money(amount);
        notices.insert(0, words.notice(Icon::Check, "notice-settled", None, &[("amount", money.into())]));
    }
    if let Some(Err(code)) = visit.tap {
        notices.push(words.notice(Icon::Warning, "notice-no-record", Some(code), &[]));
    }
    if visit.purse.is_some_and(|purse| check_purse(&session.terminal.pack.purse, purse).is_err()) {
        let code = Some(FailureCode::PurseImplausible);
        notices.insert(0, words.notice(Icon::Warning, "notice-purse", code, &[]));
    }
    notices
}

/// Central does not answer: since when, and how old the figures are.
pub(crate) fn offline(session: &Session, words: &Words) -> Notice {
    let language = words.language();
    let since = moment(session, words, session.network.since);
    let text: Text = match session.network.feed {
        Some(feed) => {
            let as_of = moment(session, words, feed.issued);
            words.text_with("notice-offline-text", &[("as-of", as_of.into())])
        }
        None => words.text("notice-offline-no-data"),
    };
    Notice {
        icon: Icon::Offline,
        title: plain(language.text_with("notice-offline-title", &[("since", since.into())])),
        text,
        code: Some(FailureCode::CentralUnreachable.code().to_owned()),
    }
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
