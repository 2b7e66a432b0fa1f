//! Before a card is laid down, and when the visit is over.

use super::Way;
use super::visit::to_document;
use crate::world::NOON;
use domain::card::Presentation;
use domain::device::ReaderEvent;
use session::{Action, Event, Feed, Network};

pub(crate) const SCENES: &[(&str, Way)] = &[
    ("attract", |_| {}),
    ("attract-help", |street| street.press("help")),
    ("attract-looks", |street| street.press("looks")),
    ("reading-help", |street| {
        street.say(Event::Reader(ReaderEvent::CardArrived(Presentation(5))));
        street.press("help");
    }),
    ("farewell-help", |street| {
        street.lay(0);
        street.act(Action::Finish);
        street.press("help");
    }),
    ("reading", |street| street.say(Event::Reader(ReaderEvent::CardArrived(Presentation(5))))),
    ("farewell", |street| {
        street.lay(0);
        street.act(Action::Finish);
    }),
    ("farewell-forgotten", |street| {
        street.lay(0);
        street.act(Action::Finish);
        street.pass(35_000);
    }),
    ("farewell-paper-forgotten", |street| {
        street.lay(0);
        to_document(street);
        street.press("print");
        street.act(Action::Finish);
        street.pass(35_000);
    }),
    ("farewell-paper", |street| {
        street.lay(0);
        to_document(street);
        street.press("print");
        street.lift();
        street.pass(5_100);
    }),
    ("farewell-paper-urgent", |street| {
        street.lay(0);
        to_document(street);
        street.press("print");
        street.lift();
        street.pass(11_000);
    }),
    ("attract-a-minute-offline-n-01", |street| away_for(street, 60_000, 7_200_000)),
    ("attract-a-day-offline-n-01", |street| away_for(street, 86_400_000, 93_600_000)),
    ("attract-a-month-offline-n-01", |street| away_for(street, 30 * 86_400_000, 30 * 86_400_000 + 7_200_000)),
    ("home-offline-n-01", |street| {
        street.online(false);
        street.lay(0);
    }),
    ("home-a-month-offline-n-01", |street| {
        away_for(street, 30 * 86_400_000, 30 * 86_400_000 + 7_200_000);
        street.lay(0);
    }),
    ("document-offline-n-01", |street| {
        street.online(false);
        street.lay(0);
        to_document(street);
    }),
];

/// Central has not answered for this long; the feed is this old.
pub(super) fn away_for(street: &mut crate::street::Street, out_ms: i64, feed_ms: i64) {
    let issued = NOON.plus_ms(-feed_ms);
    let feed = Some(Feed { issued, expires: issued.plus_ms(86_400_000) });
    street.say(Event::Network(Network { online: false, since: NOON.plus_ms(-out_ms), feed }));
}
