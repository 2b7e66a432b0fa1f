//! The languages of a city as its screens and papers use them.

use domain::{Cents, Day, Timestamp};
use locale::{Catalog, LANGUAGES, Language, LocaleError, PSEUDO, Value};
use std::io::Write;
use std::sync::{Arc, Mutex};

fn catalog_of(tags: &[&str], city: impl Fn(&str) -> Option<String>) -> Catalog {
    let tags: Vec<String> = tags.iter().map(|tag| (*tag).to_owned()).collect();
    Catalog::new(&tags, "Europe/Madrid", city).unwrap()
}

fn language(tag: &str) -> Arc<Language> {
    catalog_of(&[tag], |_| None).language(tag)
}

fn each(say: impl Fn(&Language) -> String) -> [String; 3] {
    ["es", "ast", "en"].map(|tag| say(&language(tag)))
}

#[test]
fn the_languages_come_in_the_citys_order_and_the_first_is_the_default() {
    let catalog = catalog_of(&["es", "ast", "en"], |_| None);
    assert_eq!(catalog.tags().collect::<Vec<_>>(), ["es", "ast", "en"]);
    let catalog = catalog_of(&["en", "es"], |_| None);
    assert_eq!(catalog.tags().collect::<Vec<_>>(), ["en", "es"]);
    assert_eq!((catalog.default_tag(), catalog.language("fr").tag()), ("en", "en"));
}

#[test]
fn each_language_is_named_in_itself() {
    assert_eq!(each(|language| language.text("common-language-name")), ["Español", "Asturianu", "English"]);
}

#[test]
fn money_has_sign_and_euro_where_the_language_writes_them() {
    let check = |cents, expected: [&str; 3]| assert_eq!(each(|language| language.money(Cents(cents))), expected);
    check(2_000, ["20,00\u{a0}€", "20,00\u{a0}€", "€20.00"]);
    check(-1_235, ["−12,35\u{a0}€", "−12,35\u{a0}€", "−€12.35"]);
    let check = |cents, expected: [&str; 3]| assert_eq!(each(|language| language.money_short(Cents(cents))), expected);
    check(2_000, ["20\u{a0}€", "20\u{a0}€", "€20"]);
    check(2_050, ["20,50\u{a0}€", "20,50\u{a0}€", "€20.50"]);
}

#[test]
fn moments_are_written_as_each_language_writes_them() {
    // 2026-11-21T12:05:00Z.
    let at = Timestamp(1_795_262_700_000);
    let expected = ["21/11/2026 13:05", "21/11/2026 13:05", "21 Nov 2026, 13:05"];
    assert_eq!(each(|language| language.moment(at)), expected);
    let expected = ["21 de noviembre de 2026", "21 de payares de 2026", "21 November 2026"];
    assert_eq!(each(|language| language.date_long(language.local_day(at))), expected);
    let expected = ["1 de abril de 2026", "1 d’abril de 2026", "1 April 2026"];
    assert_eq!(each(|language| language.date_long(Day(20_544))), expected);
}

#[test]
fn plural_forms_follow_each_language() {
    let tries = |left| each(|language| language.text_with("pin-wrong-text", &[("left", Value::Count(left))]));
    assert_eq!(tries(1), ["Le queda un intento.", "Quéda-y un intentu.", "You have one try left."]);
    assert_eq!(tries(2), ["Le quedan 2 intentos.", "Quéden-y 2 intentos.", "You have 2 tries left."]);
}

/// What a subscriber writes.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_text_missing_in_one_language_is_said_in_the_default_one_and_logged() {
    let city = |tag: &str| (tag == "es").then(|| "city-greeting = Hola, { $name }\n".to_owned());
    let catalog = catalog_of(&["es", "ast"], city);
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).with_ansi(false).finish();
    let said = tracing::subscriber::with_default(subscriber, || {
        let language = catalog.language("ast");
        (language.text_with("city-greeting", &[("name", "Xana".into())]), language.text("city-nothing"))
    });
    assert_eq!(said, ("Hola, Xana".to_owned(), "city-nothing".to_owned()));
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert_eq!(log.matches("ERROR").count(), 3, "{log}");
    assert!(log.contains("key=\"city-greeting\" lang=\"ast\"") && !log.contains("Xana"), "{log}");
}

#[test]
fn a_mistake_in_a_file_is_said_with_its_line() {
    let tags = ["es".to_owned()];
    let made = Catalog::new(&tags, "Europe/Madrid", |_| Some("city-a = Sí\ncity-b = { $x\n".to_owned()));
    let Err(error @ LocaleError::Syntax { .. }) = made else { panic!("the mistake went unseen") };
    assert!(error.to_string().starts_with("es of the city pack: line "), "{error}");
    let made = Catalog::new(&["tlh".to_owned()], "Europe/Madrid", |_| None);
    assert!(matches!(made, Err(LocaleError::UnknownLanguage(_))));
}

#[test]
fn the_pseudo_locale_is_never_offered_and_can_be_asked_for() {
    assert!(!LANGUAGES.contains(&PSEUDO));
    let catalog = catalog_of(&["es", PSEUDO], |tag| (tag == "en").then(|| "city-name = Anytown\n".to_owned()));
    let pseudo = catalog.language(PSEUDO);
    assert_eq!(pseudo.tag(), "en-XA");
    assert_eq!(pseudo.text("city-name"), "[Ååńýţōōōŵń]");
    assert_eq!(pseudo.money(Cents(2_000)), "20,00\u{a0}€", "figures have nothing to translate");
}
