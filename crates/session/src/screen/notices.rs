//! Partial outages, said before anybody begins and again on the home screen: what does not work, and what still does.

use super::home::moment;
use super::words::{Words, plain};
use crate::Session;
use crate::flow::top_up;
use crate::view::{Icon, Notice, Text};
use domain::FailureCode;
use ledger::{Claim, ClaimCode, Credit};
use locale::Value;

/// What concerns everybody: at most three, so that they fit beside what one can do.
pub(crate) fn of_terminal(session: &Session, words: &Words) -> Vec<Notice> {
    let notices = [network(session, words), charging(session, words), printer(session, words)];
    notices.into_iter().flatten().collect()
}

/// What concerns this card comes first, the best news before all.
pub(crate) fn of_visit(session: &Session, words: &Words) -> Vec<Notice> {
    let Some(visit) = &session.visit else { return of_terminal(session, words) };
    let mut notices = Vec::new();
    if let Some(amount) = visit.settled {
        let money = words.money(amount);
        notices.push(words.notice(Icon::Check, "notice-settled", None, &[("amount", money.into())]));
    }
    notices.extend(pending(session, words));
    if session.purse_needs_check() {
        let code = Some(FailureCode::PurseImplausible);
        notices.push(words.notice(Icon::Warning, "notice-purse", code, &[]));
    }
    match visit.tap {
        // Not a fault, and its holder need do nothing today.
        Some(Err(FailureCode::CardOld)) => notices.push(card_old(words)),
        Some(Err(code)) if session.credit_key().is_ok() => {
            notices.push(words.notice(Icon::Warning, "notice-no-record-online", Some(code), &[]));
        }
        Some(Err(code)) => notices.push(words.notice(Icon::Warning, "notice-no-record", Some(code), &[])),
        _ => {}
    }
    notices.extend(price_unknown(session, words));
    notices.extend(of_terminal(session, words));
    notices
}

/// What is still open of this card, here or at another terminal: the newest of it, with the code to quote.
fn pending(session: &Session, words: &Words) -> Option<Notice> {
    let visit = session.visit.as_ref()?;
    let elsewhere = visit.tap_facts().into_iter().flat_map(|facts| &facts.open).filter(|open| {
        session.till.known(open.top_up).is_none()
            && visit.card.top_ups.iter().all(|record| record.top_up != open.top_up)
    });
    let elsewhere = elsewhere.map(|open| (open.top_up, open.amount));
    let own = session.till.ledger.iter().flat_map(|ledger| ledger.open_of(visit.card.number, visit.card.generation));
    let own = own.filter(|top_up| top_up.claim() == Claim::Open && top_up.credit() != Credit::Credited);
    let own = own.map(|top_up| (top_up.subject().top_up, top_up.subject().amount));
    let (top_up, amount) = own.chain(elsewhere).next()?;
    let telephone = session.terminal.pack.brand.telephone.as_str();
    let (amount, code) = (words.money(amount), ClaimCode::of(top_up).to_string());
    let values: [(&str, Value<'_>); 3] =
        [("amount", amount.into()), ("code", code.into()), ("telephone", telephone.into())];
    Some(words.notice(Icon::Clock, "notice-pending", None, &values))
}

/// The record names a price class this city pack does not have: the general prices are shown, and that is said.
fn price_unknown(session: &Session, words: &Words) -> Option<Notice> {
    let facts = session.visit.as_ref()?.tap_facts()?;
    let classes = session.terminal.pack.services.iter().map(|service| service.prices.len()).max().unwrap_or(0);
    let unknown = usize::from(facts.price_class.0) >= classes;
    let code = Some(FailureCode::PriceUnknown);
    unknown.then(|| words.notice(Icon::Warning, "notice-price-unknown", code, &[]))
}

/// The holder of a card of the first kind is told, quietly, that it is exchanged free of charge, and where.
fn card_old(words: &Words) -> Notice {
    let office = words.language().text("city-card-office");
    words.notice(Icon::Card, "notice-card-old", None, &[("office", office.into())])
}

/// Why the list shows the general prices, if it does.
pub(crate) fn general_prices(session: &Session, words: &Words) -> Option<Notice> {
    match session.visit.as_ref()?.tap {
        Some(Err(FailureCode::CardOld)) => Some(Notice {
            icon: Icon::Card,
            title: words.text("notice-general-title"),
            text: words.text("notice-general-text"),
            code: None,
        }),
        Some(Err(code)) => Some(Notice {
            icon: Icon::Warning,
            title: words.text("notice-no-record-title"),
            text: words.text("notice-price-unknown-text"),
            code: Some(code.code().to_owned()),
        }),
        _ => price_unknown(session, words),
    }
}

fn network(session: &Session, words: &Words) -> Option<Notice> {
    if session.network.is_out() {
        return Some(offline(session, words));
    }
    let feed = match session.network.feed {
        Some(feed) => feed,
        // Central answers, and there is nothing to serve from: the cache was dropped and is being filled.
        None if session.network.online => {
            return Some(words.notice(Icon::Clock, "notice-no-data", Some(FailureCode::CacheUnreadable), &[]));
        }
        None => return None,
    };
    let as_of = moment(session, words, feed.issued);
    let values: [(&str, Value<'_>); 1] = [("as-of", as_of.into())];
    let code = Some(FailureCode::FeedTooOld);
    session.feed_is_too_old().then(|| words.notice(Icon::Clock, "notice-too-old", code, &values))
}

/// Why nothing can be charged here, if so; where the PIN is refused as well, that is said with it.
fn charging(session: &Session, words: &Words) -> Option<Notice> {
    match session.impairment().or_else(|| top_up::outage(session))? {
        code @ FailureCode::ClockWrong => Some(words.notice(Icon::Clock, "notice-clock", Some(code), &[])),
        code @ FailureCode::DiskFull => Some(words.notice(Icon::Warning, "notice-disk", Some(code), &[])),
        code @ FailureCode::JournalUnreadable => Some(words.notice(Icon::Warning, "notice-journal", Some(code), &[])),
        code @ FailureCode::PaymentDayEnding => Some(words.notice(Icon::Pay, "notice-day-ending", Some(code), &[])),
        code @ FailureCode::PaymentBlocked => Some(words.notice(Icon::Pay, "notice-blocked", Some(code), &[])),
        code => Some(words.notice(Icon::Pay, "notice-no-payment", Some(code), &[])),
    }
}

fn printer(session: &Session, words: &Words) -> Option<Notice> {
    let code = session.printer.err()?;
    let title = match code {
        FailureCode::PrinterAbsent => "notice-printer-absent",
        FailureCode::PaperOut => "notice-printer-paper",
        FailureCode::PaperJam => "notice-printer-jam",
        FailureCode::PrinterOpen => "notice-printer-open",
        _ => "notice-printer-fault",
    };
    Some(Notice {
        icon: Icon::Paper,
        title: words.text(title),
        text: words.text("notice-printer-text"),
        code: Some(code.code().to_owned()),
    })
}

/// Central does not answer: since when, how old the data is, and for how long papers are still given.
pub(crate) fn offline(session: &Session, words: &Words) -> Notice {
    let language = words.language();
    let since = moment(session, words, session.network.since);
    let text: Text = match session.network.feed {
        None => words.text("notice-offline-no-data"),
        Some(feed) => {
            let as_of = moment(session, words, feed.issued);
            if session.feed_is_too_old() {
                words.text_with("notice-offline-too-old", &[("as-of", as_of.into())])
            } else {
                let days = Value::Count(session.days_of_papers());
                words.text_with("notice-offline-text", &[("as-of", as_of.into()), ("days", days)])
            }
        }
    };
    Notice {
        icon: Icon::Offline,
        title: plain(language.text_with("notice-offline-title", &[("since", since.into())])),
        text,
        code: Some(FailureCode::CentralUnreachable.code().to_owned()),
    }
}

impl Session {
    /// Whole days for which what needs the PIN can still be given from the feed there is.
    fn days_of_papers(&self) -> i64 {
        let allowed_ms = i64::from(self.terminal.pack.freshness.pin_tier_days) * 86_400_000;
        let age_ms = self.network.feed.map_or(allowed_ms, |feed| self.now.wall.0 - feed.issued.0);
        // A feed from the future is as good as new, never better.
        (allowed_ms - age_ms.max(0)).max(0) / 86_400_000
    }
}
