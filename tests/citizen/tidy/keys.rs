//! Every key that is used is defined, and every key that is defined is used: no citizen meets a key in place of a
//! word, and no translator works for nothing.

use super::uses::{Fillings, Uses, help_areas, speaking_sources, uses};
use super::words::{CITY, base, cities};
use super::{files, none, read};
use std::collections::BTreeSet;
use toml::Table;

/// Keys of a city pack that only other programs read, each with its reason.
const OF_OTHERS: &[(&str, &str)] = &[];

fn values(pack: &str, list: &str, field: &str) -> Vec<String> {
    let pack: Table = read(pack).parse().unwrap_or_else(|error| panic!("{pack}: {error}"));
    let rows = pack.get(list).and_then(|rows| rows.as_array()).into_iter().flatten();
    rows.filter_map(|row| row.get(field)?.as_str().map(str::to_owned)).collect()
}

fn packs() -> Vec<String> {
    let packs =
        files().into_iter().filter(|path| path.starts_with("assets/city-packs/") && path.ends_with("/city.toml"));
    packs.collect()
}

fn all_uses() -> Uses {
    let sources = speaking_sources();
    let gather = |list, field| packs().iter().flat_map(|pack| values(pack, list, field)).collect::<Vec<_>>();
    let fillings = Fillings {
        help_areas: help_areas(&sources),
        documents: gather("documents", "kind"),
        services: gather("services", "id"),
    };
    assert!(!fillings.help_areas.is_empty() && !fillings.documents.is_empty() && !fillings.services.is_empty());
    let mut areas: BTreeSet<String> = base().into_iter().map(|words| words.area).collect();
    areas.insert(CITY.to_owned());
    uses(&sources, &areas, &fillings)
}

fn defined() -> BTreeSet<String> {
    let cities = cities().into_iter().map(|(_, words)| words);
    base().into_iter().chain(cities).flat_map(|words| words.texts.into_keys()).collect()
}

#[test]
fn every_key_that_is_used_is_defined() {
    let (uses, defined) = (all_uses(), defined());
    assert!(uses.keys.len() > 100, "only {} uses were found: the search is broken", uses.keys.len());
    none(&uses.complaints, "Correct the rules:");
    let missing: Vec<String> = uses.keys.difference(&defined).cloned().collect();
    none(&missing, "Define these in locales/<language>/<area>.ftl (or in the city packs):");
}

#[test]
fn every_key_that_is_defined_is_used() {
    let uses = all_uses();
    let unused = defined()
        .into_iter()
        .filter(|key| !uses.keys.contains(key) && !OF_OTHERS.iter().any(|(other, _)| other == key));
    let unused: Vec<String> = unused.collect();
    none(
        &unused,
        "Nothing says these; take them out, or add the way they are put together to tests/citizen/tidy/uses.rs:",
    );
}

#[test]
fn every_service_and_document_of_a_city_has_its_words_in_every_language() {
    let mut complaints = Vec::new();
    let base: BTreeSet<String> = base().into_iter().flat_map(|words| words.texts.into_keys()).collect();
    for pack in packs() {
        let city = pack.split('/').nth(2).unwrap_or_default();
        let services = values(&pack, "services", "id");
        assert!(services.len() >= 20, "{pack}: the city has twenty services, this pack {}", services.len());
        for (_, words) in cities().iter().filter(|(of, _)| of == city) {
            let keys = services.iter().flat_map(|id| [format!("city-service-{id}"), format!("city-service-{id}-hint")]);
            complaints
                .extend(keys.filter(|key| !words.texts.contains_key(key)).map(|key| format!("{}: {key}", words.path)));
        }
        let documents = values(&pack, "documents", "kind").into_iter().map(|kind| format!("document-{kind}"));
        complaints.extend(documents.filter(|key| !base.contains(key)).map(|key| format!("{pack}: {key}")));
    }
    none(&complaints, "Define these:");
}
