//! Asturian is a language and not Spanish with other endings. What can be checked by machine is: no copies but the
//! reviewed ones, none of the small words by which Spanish is known, and the elisions and contractions that the
//! Academy's orthography asks for (Normes ortográfiques, Academia de la Llingua Asturiana).

use super::none;
use super::words::{Words, base, cities};
use std::collections::{BTreeMap, BTreeSet};

/// Texts that both languages write alike, each reviewed. Signs and formats:
const SAME_SIGNS: &[&str] = &[
    "common-date-time",
    "common-money",
    "paper-offline-mark",
    "service-claim-hint",
    "service-kilobytes",
    "service-megabytes",
    "service-milliseconds",
];

/// Words with the same form in both, and no other that people say:
const SAME_WORDS: &[&str] = &[
    "city-service-children-transport-hint",
    "city-service-courses",
    "city-service-museums",
    "city-service-parking",
    "city-service-taxes",
    "city-service-taxes-hint",
    "city-service-terminals",
    "common-back",
    "common-contrast",
    "common-cover",
    "common-help",
    "help-heading",
    "home-documents",
    "home-movements",
    "home-top-up",
    "paper-claim-amount",
    "paper-claim-operation",
    "paper-readiness-note",
    "paper-readiness-part",
    "paper-receipt-amount",
    "paper-receipt-application",
    "paper-receipt-authorisation",
    "paper-receipt-done",
    "paper-receipt-entry-chip",
    "paper-receipt-entry-stripe",
    "paper-receipt-operation",
    "paper-receipt-tax-number",
    "paper-receipt-terminal",
    "paper-volante-kind",
    "pin-erase",
    "service-claims-hint",
    "service-clock-behind",
    "service-codes",
    "service-export-files",
    "service-lead",
    "service-part-printer",
    "service-part-works",
    "service-program",
    "service-reason-other",
    "service-report-version",
    "service-ruler-hint",
    "service-ruler-save",
    "service-ruler-shorter",
    "service-self-test",
    "service-self-test-hint",
    "service-works",
    "topup-pay",
    "topup-plus",
    "wishes-contrast",
    "wishes-simple",
    "wishes-speech",
];

/// Small words of Spanish that Asturian has others for.
const SPANISH: &str = "ahora, ahí, al momento, algo, allí, antes, aún, aquí, bandeja, conexión, con el, con la, con las, \
    con los, después, desde, dónde, elija, en el, en la, en las, en los, en un, en una, es, está, están, esta tarjeta, \
    este, gracias, ha sido, hace, hacer, hasta el, hoy, imprimir, las, luego, mientras, mismo, nadie, ningún, ninguna, \
    no, nombre, o el, otro, para, pero no, por el, por la, puede, pueden, quiere, recoja, retire, saldo, se ha, sin, \
    solo, su, sus, también, tarjeta, tiene, todavía, usted, ya";

fn of(language: &str) -> Vec<Words> {
    let all = base().into_iter().chain(cities().into_iter().map(|(_, words)| words));
    all.filter(|words| words.language == language).collect()
}

fn texts(language: &str) -> BTreeMap<String, Vec<String>> {
    of(language).into_iter().flat_map(|words| words.texts).map(|(key, text)| (key, text.variants)).collect()
}

/// The words of a text, in small letters; an apostrophe belongs to the words on both sides.
fn words(text: &str) -> Vec<String> {
    let split = text.split(|c: char| !c.is_alphanumeric() && c != '’' && c != '-');
    split.filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

/// What the orthography wants otherwise, in one text.
fn unelided(text: &str) -> Vec<String> {
    let vowel = |word: &str| word.starts_with(['a', 'e', 'i', 'o', 'u', 'á', 'é', 'í', 'ó', 'ú', 'h']);
    let open_a = |word: &str| ["a", "á", "ha", "há"].iter().any(|start| word.starts_with(start));
    let ends_open = |word: &str| word.ends_with(['a', 'e', 'i', 'o', 'u', 'á', 'é', 'í', 'ó', 'ú']);
    // A sentence or a value between two words parts them.
    let phrases = text.split(['.', ',', ':', ';', '?', '!', '(', ')', '·', 'X', '«', '»', '…']);
    let mut found = Vec::new();
    for phrase in phrases {
        let words = words(phrase);
        for pair in words.windows(2) {
            let (word, next) = (pair[0].as_str(), pair[1].as_str());
            let is_abbreviation = phrase.contains(&next.to_uppercase()) && next.len() > 1;
            let elides = match word {
                "de" | "en" | "que" | "me" | "te" | "se" | "el" => vowel(next) && !is_abbreviation,
                "la" | "pa" => open_a(next) && !is_abbreviation,
                _ => false,
            };
            // «El» leans on the word before it, unless it already leans on the one after it.
            let leans = next == "el" && ends_open(word) && word != "o" && word.len() > 1;
            let contracts = matches!(
                (word, next),
                ("a" | "de" | "en" | "con" | "por" | "per", "el")
                    | ("en" | "con" | "por" | "per", "la" | "los" | "les" | "lo")
                    | ("en", "esti" | "esta" | "esto" | "ella" | "elli")
            );
            if elides || leans || contracts {
                found.push(format!("{word} {next}"));
            }
        }
    }
    found
}

#[test]
fn asturian_copies_spanish_only_where_both_say_the_same() {
    let (spanish, asturian) = (texts("es"), texts("ast"));
    let same: BTreeSet<&str> =
        asturian.iter().filter(|(key, text)| spanish.get(*key) == Some(text)).map(|(key, _)| key.as_str()).collect();
    let reviewed: BTreeSet<&str> = SAME_SIGNS.iter().chain(SAME_WORDS).copied().collect();
    let copies: Vec<String> = same.difference(&reviewed).map(|key| (*key).to_owned()).collect();
    none(&copies, "Say these in Asturian, or add them to the reviewed ones of tests/citizen/tidy/asturian.rs:");
    let stale: Vec<String> = reviewed.difference(&same).map(|key| (*key).to_owned()).collect();
    none(&stale, "These are no copies any more; take them off the list:");
    assert!(same.len() * 10 < asturian.len(), "{} of {} texts are copies", same.len(), asturian.len());
}

#[test]
fn asturian_has_none_of_the_small_words_of_spanish() {
    let mut complaints = Vec::new();
    for (key, variants) in texts("ast") {
        for text in variants {
            let line = format!(" {} ", words(&text).join(" "));
            let met = SPANISH.split(", ").filter(|word| line.contains(&format!(" {word} ")));
            complaints.extend(met.map(|word| format!("{key}: «{word}»")));
        }
    }
    none(&complaints, "Asturian has its own words for these:");
}

#[test]
fn asturian_elides_and_contracts_as_its_orthography_asks() {
    let texts = texts("ast").into_iter();
    let complaints: Vec<String> = texts
        .flat_map(|(key, variants)| variants.into_iter().map(move |text| (key.clone(), text)))
        .flat_map(|(key, text)| unelided(&text).into_iter().map(move |pair| format!("{key}: «{pair}»")))
        .collect();
    none(&complaints, "Write d’equí, qu’acaba, l’autobús, l’amiga, p’acabar, use’l, nel, cola, pol:");
}

#[test]
fn what_is_not_elided_is_found() {
    let check = |text: &str, expected: &[&str]| assert_eq!(unelided(text), expected, "{text}");
    check("La oficina de atención", &["de atención"]);
    check("Use el PIN en la oficina", &["use el", "en la"]);
    check("P’acabar, toque’l botón d’equí. El saldu ta na tarxeta", &[]);
    check("pa acabar el informe que espera", &["pa acabar", "el informe", "que espera"]);
    check("Mire la corriente y el cable de USB", &[]);
}
