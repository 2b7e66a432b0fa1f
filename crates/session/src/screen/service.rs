//! One service of the city on the screen: its price for this card, and what the holder has there now.

use super::words::{Words, plain, private};
use crate::view::{Icon, Row};
use domain::Cents;
use domain::city_pack::Service;
use domain::holder::{Entitlement, TapFacts};
use locale::Value;

pub(crate) fn row(words: &Words, service: &Service, facts: Option<&TapFacts>) -> Row {
    let entitlement =
        facts.and_then(|facts| facts.entitlements.iter().find(|entitlement| entitlement.service == service.number));
    let hint = match entitlement {
        Some(entitlement) => entitled(words, entitlement),
        None => Some(words.text(&format!("city-service-{}-hint", service.id))),
    };
    Row {
        label: words.text(&format!("city-service-{}", service.id)),
        value: price(words, service, facts, entitlement.is_some()),
        hint,
        icon: Some(icon(&service.icon)),
    }
}

/// "Your tariff", never its name: the price alone.
fn price(words: &Words, service: &Service, facts: Option<&TapFacts>, entitled: bool) -> crate::view::Text {
    if !service.open_to_all && !entitled && facts.is_some() {
        return plain(words.language().text("home-service-ask"));
    }
    let class = facts.map_or(0, |facts| usize::from(facts.price_class.0));
    match service.prices.get(class).or(service.prices.first()) {
        Some(&Cents::ZERO) => private(words.language().text("home-service-free")),
        Some(&price) => private(words.money(price)),
        None => plain(String::new()),
    }
}

fn entitled(words: &Words, entitlement: &Entitlement) -> Option<crate::view::Text> {
    let language = words.language();
    match (entitlement.count, entitlement.until) {
        (Some(count), _) => Some(words.private("home-service-count", &[("count", Value::Count(count.into()))])),
        (None, Some(day)) => Some(words.private("home-service-until", &[("date", language.date_short(day).into())])),
        (None, None) => None,
    }
}

/// The drawing with this name; a city pack may name one this kiosk has not.
fn icon(name: &str) -> Icon {
    let known = [
        ("art", Icon::Art),
        ("bike", Icon::Bike),
        ("booking", Icon::Booking),
        ("bus", Icon::Bus),
        ("car", Icon::Car),
        ("card", Icon::Card),
        ("children", Icon::Children),
        ("city", Icon::City),
        ("document", Icon::Document),
        ("heart", Icon::Heart),
        ("library", Icon::Library),
        ("museum", Icon::Museum),
        ("parking", Icon::Parking),
        ("pay", Icon::Pay),
        ("people", Icon::People),
        ("phone", Icon::Phone),
        ("pool", Icon::Pool),
        ("road", Icon::Road),
        ("school", Icon::School),
        ("sport", Icon::Sport),
        ("tax", Icon::Tax),
        ("terminal", Icon::Terminal),
        ("toilet", Icon::Toilet),
        ("wifi", Icon::Wifi),
    ];
    known.into_iter().find(|(known, _)| *known == name).map_or(Icon::City, |(_, icon)| icon)
}
