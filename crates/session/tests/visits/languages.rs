//! What a visit in another language than the city's first one changes, and what it does not.

use crate::money::top_up;
use crate::street::Street;
use session::{Action, PaperOrder};

fn in_language(tag: &str) -> Street {
    let mut street = Street::new();
    street.act(Action::SelectLanguage { lang: tag.into() });
    street
}

/// Lays the card, asks for the volante and gives the PIN.
fn at_details(tag: &str) -> Street {
    let mut street = in_language(tag);
    street.lay(0);
    street.ask_for_document();
    street.type_pin("271828");
    street
}

fn rows(street: &Street) -> String {
    street.view()["screen"]["rows"].to_string()
}

#[test]
fn a_receipt_is_in_the_language_of_the_visit() {
    for tag in ["es", "ast", "en"] {
        let mut street = in_language(tag);
        top_up(&mut street);
        street.press("print-receipt");
        assert_eq!(street.prints[0].lang(), tag);
    }
}

#[test]
fn an_official_paper_is_in_the_citys_first_language_and_the_screen_says_so_before() {
    for (tag, label) in [("ast", "Llingua del papel"), ("en", "Language of the paper")] {
        let mut street = at_details(tag);
        let rows = rows(&street);
        assert!(rows.contains(label) && rows.contains("Español"), "{rows}");
        street.press("print");
        assert!(matches!(street.prints[0], PaperOrder::Document { .. }));
        assert_eq!((street.prints[0].lang(), &street.view()["lang"]), ("es", &tag.into()));
    }
    assert!(!rows(&at_details("es")).contains("Idioma"), "nothing to say in the paper's own language");
}

#[test]
fn every_screen_of_a_visit_is_in_its_language_and_writes_money_its_way() {
    for (tag, heading, balance) in [("ast", "¿Qué precisa?", "3,50\u{a0}€"), ("en", "What do you need?", "€3.50")]
    {
        let mut street = in_language(tag);
        street.lay(0);
        assert_eq!(street.heading(), heading);
        assert_eq!(street.view()["screen"]["balance"]["value"]["text"], balance);
    }
}
