//! Everything that makes a kiosk this city's: data, never compiled in. It reaches terminals inside the signed feed
//! and is used only once verified.

use crate::card::Technology;
use crate::document::DocumentKind;
use crate::{Cents, TerminalId};
use serde::{Deserialize, Serialize};

/// One city's pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CityPack {
    /// Short stable name, such as `bahia`.
    pub id: String,
    /// Rises with every change.
    pub version: u32,
    /// What the city looks like and how to reach a human.
    pub brand: Brand,
    /// BCP 47 tags, the default first.
    pub languages: Vec<String>,
    /// IANA time zone of the city, such as `Europe/Madrid`.
    pub time_zone: String,
    /// How the city's cards are laid out.
    pub card: CardLayout,
    /// Limits of purse and top-up.
    pub purse: PurseLimits,
    /// PIN rules.
    pub pin: PinPolicy,
    /// How old data may be.
    pub freshness: Freshness,
    /// The services, in the order of the screen.
    pub services: Vec<Service>,
    /// The documents terminals may issue.
    pub documents: Vec<DocumentPolicy>,
}

impl CityPack {
    /// The limits of a purse on such a card: the city's, or lower ones where the card proves less (an EV1 has no
    /// TransactionMAC) or can be copied (MIFARE Classic).
    #[must_use]
    pub fn purse_on(&self, technology: Technology) -> PurseLimits {
        let city = &self.purse;
        let (max, top_up_max) = match technology {
            Technology::DesfireEv2 => (None, None),
            Technology::DesfireEv1 => (city.ev1_max, city.ev1_top_up_max),
            Technology::Classic => (
                self.card.classic.map(|classic| classic.purse_max),
                self.card.classic.map(|classic| classic.top_up_max),
            ),
        };
        let mut limits = city.clone();
        limits.max = max.map_or(limits.max, |max| max.min(limits.max));
        limits.top_up_max = top_up_max.map_or(limits.top_up_max, |max| max.min(limits.top_up_max));
        limits.choices.retain(|choice| *choice <= limits.top_up_max);
        limits
    }
}

impl PurseLimits {
    /// The limits under a feed that is no longer current: what was blocked or claimed since is not known here, so less
    /// is risked on a card and in a day.
    #[must_use]
    pub fn under_an_old_feed(mut self) -> Self {
        self.top_up_max = self.stale_top_up_max.map_or(self.top_up_max, |max| max.min(self.top_up_max));
        self.terminal_float = self.stale_terminal_float.map_or(self.terminal_float, |max| max.min(self.terminal_float));
        self.choices.retain(|choice| *choice <= self.top_up_max);
        self
    }
}

/// The city's face. Words come from the pack's own `city-` locale keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Brand {
    /// The emblem's file in the pack (SVG).
    pub emblem: String,
    /// The telephone of the citizens' desk, as dialled.
    pub telephone: String,
    /// Where documents are checked; the code is appended.
    pub check_url: String,
    /// The city's tax number, for receipts.
    pub tax_number: String,
}

/// How a DESFire card of this city is laid out (`docs/card-layout.md`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardLayout {
    /// The application's AID, as transmitted (least significant byte first).
    pub aid: [u8; 3],
    /// Key numbers in the application.
    pub keys: CardKeys,
    /// File numbers in the application.
    pub files: CardFiles,
    /// Appended to the diversification input (AN10922), so that two cities' keys differ; at most 16 bytes.
    pub system_id: String,
    /// Records the top-ups file holds (the cyclic file has one more for the mirror).
    pub top_up_records: u8,
    /// Records the movements file holds.
    pub movement_records: u8,
    /// The MIFARE Classic cards still about; `None` in a city that never had any.
    #[serde(default)]
    pub classic: Option<ClassicLayout>,
}

/// Where things lie on the city's MIFARE Classic 1K cards (`docs/card-layout.md`), and how little they may carry: they
/// can be cloned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassicLayout {
    /// The city's application identifier in the MIFARE application directory (AN10787): function cluster in the high
    /// byte, application code in the low one.
    pub mad_aid: u16,
    /// Sector of number and generation, 1 to 15.
    pub identity_sector: u8,
    /// Sector of the purse: value, backup, seal.
    pub purse_sector: u8,
    /// Sector of the newest three top-ups.
    pub top_ups_sector: u8,
    /// The most such a purse may hold; at most 655.35 euros, since its records have two bytes for an amount.
    pub purse_max: Cents,
    /// The largest single top-up of such a purse.
    pub top_up_max: Cents,
}

/// Key numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardKeys {
    /// Changes the others; the issuer's.
    pub master: u8,
    /// Kiosks: reads; writes tries and wishes.
    pub read: u8,
    /// Validators: debits.
    pub debit: u8,
    /// Credits.
    pub credit: u8,
    /// Reads the real UID of random-UID cards; not diversified.
    pub uid: u8,
}

/// File numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardFiles {
    /// Standard: number, generation, secret, layout version.
    pub identity: u8,
    /// Value: the purse.
    pub purse: u8,
    /// Cyclic: top-ups.
    pub top_ups: u8,
    /// Cyclic: movements.
    pub movements: u8,
    /// Backup: PIN tries.
    pub tries: u8,
    /// Backup: wishes.
    pub wishes: u8,
    /// TransactionMAC (EV2 and later).
    pub transaction_mac: u8,
}

/// Limits of purse and top-up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PurseLimits {
    /// The most a purse may hold; beyond it the purse "needs a check".
    pub max: Cents,
    /// The smallest single top-up.
    pub top_up_min: Cents,
    /// The largest single top-up.
    pub top_up_max: Cents,
    /// The most one card may be topped up a day.
    pub daily_max: Cents,
    /// The most one terminal may credit a day before it must have talked to central.
    pub terminal_float: Cents,
    /// The amounts offered; the first is marked when the screen opens.
    pub choices: Vec<Cents>,
    /// The most a purse on a DESFire EV1 may hold, which has no TransactionMAC; `None` for no lower limit.
    #[serde(default)]
    pub ev1_max: Option<Cents>,
    /// The largest single top-up on an EV1; `None` for no lower limit.
    #[serde(default)]
    pub ev1_top_up_max: Option<Cents>,
    /// The largest single top-up while the feed's head has expired; `None` for no lower limit.
    #[serde(default)]
    pub stale_top_up_max: Option<Cents>,
    /// The terminal's float of a day while the feed's head has expired; `None` for no lower limit.
    #[serde(default)]
    pub stale_terminal_float: Option<Cents>,
}

/// PIN rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinPolicy {
    /// Digits.
    pub length: u8,
    /// Failures until locked.
    pub tries: u8,
}

/// How old data may be before a service is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Freshness {
    /// Hours until figures are marked as old.
    pub notice_hours: u32,
    /// Days until the pin tier is refused.
    pub pin_tier_days: u32,
}

/// One service of the city.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// The number on cards and in records.
    pub number: u8,
    /// Stable name; its words are `city-service-<id>` and `city-service-<id>-hint`.
    pub id: String,
    /// The icon's name.
    pub icon: String,
    /// What one use costs, by price class; the first is the general one.
    pub prices: Vec<Cents>,
    /// Everybody may use it, or only holders with an entitlement.
    pub open_to_all: bool,
}

/// Rules of one document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentPolicy {
    /// Which.
    pub kind: DocumentKind,
    /// Days the paper says it is good for.
    pub validity_days: u32,
}

/// The parts that are this terminal's rather than the city's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TerminalPlate {
    /// Its number.
    pub id: TerminalId,
    /// Where it stands, for receipts.
    pub place: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    const BAHIA: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/city-packs/bahia/city.toml"));

    fn bahia() -> CityPack {
        toml::from_str(BAHIA).unwrap()
    }

    fn check(pack: &CityPack, technology: Technology, max: i64, top_up_max: i64, choices: &[i64]) {
        let limits = pack.purse_on(technology);
        assert_eq!((limits.max, limits.top_up_max), (Cents(max), Cents(top_up_max)), "{technology:?}");
        assert_eq!(limits.choices.iter().map(|choice| choice.0).collect::<Vec<_>>(), choices, "{technology:?}");
        assert_eq!((limits.top_up_min, limits.daily_max), (pack.purse.top_up_min, pack.purse.daily_max));
    }

    #[test]
    fn each_technology_has_its_limits() {
        let pack = bahia();
        check(&pack, Technology::DesfireEv2, 20_000, 10_000, &[2_000, 500, 1_000, 3_000, 5_000, 10_000]);
        check(&pack, Technology::DesfireEv1, 10_000, 5_000, &[2_000, 500, 1_000, 3_000, 5_000]);
        check(&pack, Technology::Classic, 5_000, 2_000, &[2_000, 500, 1_000]);
    }

    #[test]
    fn an_old_feed_lowers_what_may_be_risked_and_never_raises_it() {
        let mut pack = bahia();
        let old = pack.purse.clone().under_an_old_feed();
        assert_eq!((old.top_up_max, old.terminal_float, old.max), (Cents(3_000), Cents(100_000), pack.purse.max));
        assert_eq!(old.choices, [2_000, 500, 1_000, 3_000].map(Cents));
        (pack.purse.stale_top_up_max, pack.purse.stale_terminal_float) = (Some(Cents(99_999)), None);
        assert_eq!(pack.purse.clone().under_an_old_feed(), pack.purse);
        let classic = pack.purse_on(Technology::Classic).under_an_old_feed();
        assert_eq!(classic.top_up_max, Cents(2_000), "a lower limit of the card's stays");
    }

    #[test]
    fn a_city_that_says_nothing_of_ev1_treats_it_like_later_cards() {
        let mut pack = bahia();
        (pack.purse.ev1_max, pack.purse.ev1_top_up_max) = (None, None);
        assert_eq!(pack.purse_on(Technology::DesfireEv1), pack.purse_on(Technology::DesfireEv2));
    }

    #[test]
    fn no_card_may_hold_more_than_the_citys_maximum() {
        let mut pack = bahia();
        (pack.purse.ev1_max, pack.purse.ev1_top_up_max) = (Some(Cents(90_000)), Some(Cents(90_000)));
        assert_eq!(pack.purse_on(Technology::DesfireEv1).max, pack.purse.max);
        assert_eq!(pack.purse_on(Technology::DesfireEv1).top_up_max, pack.purse.top_up_max);
    }
}
