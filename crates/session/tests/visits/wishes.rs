//! What the card remembers: applied, kept and erased, and never without the press.

use crate::scenes::wishes::{asking, erasing};
use crate::street::{Street, assert_nothing_private, buttons};
use crate::world::CreditFate;
use domain::card::Wishes;
use domain::device::ReaderEvent;
use domain::{FailureCode, Handle};
use session::{Action, Event};

fn offers(street: &mut Street) -> Vec<String> {
    street.press("looks");
    let found: Vec<String> = buttons(&street.view()["overlay"])
        .iter()
        .map(|button| button["id"].as_str().unwrap().to_owned())
        .filter(|id| id == "remember" || id == "erase-wishes")
        .collect();
    street.press("looks");
    found
}

fn writes(street: &Street) -> usize {
    street.log.iter().filter(|line| line.contains("WriteWishes")).count()
}

fn rows(street: &Street) -> Vec<String> {
    let view = street.view();
    let rows = view["screen"]["rows"].as_array().unwrap();
    let text = |row: &serde_json::Value, of: &str| row[of]["text"].as_str().unwrap().to_owned();
    rows.iter().map(|row| format!("{}: {}", text(row, "label"), text(row, "value"))).collect()
}

#[test]
fn what_was_chosen_is_shown_word_by_word_written_on_the_press_and_there_on_the_next_visit() {
    let mut street = Street::new();
    street.lay(0);
    assert_eq!(offers(&mut street), Vec::<String>::new(), "nothing was chosen");
    street.act(Action::SelectLanguage { lang: "ast".into() });
    street.press("looks");
    ["letters", "time", "simple", "remember"].into_iter().for_each(|id| street.press(id));
    let shown = ["Llingua: Asturianu", "Lletres: Más grandes", "Tiempu: Tres vegaes más"];
    assert_eq!(rows(&street)[..3], shown);
    assert_eq!((rows(&street).len(), writes(&street)), (4, 0), "nothing is written by looking");
    street.press("write-wishes");
    assert_eq!((street.kind().as_str(), writes(&street)), ("done", 1));
    let kept =
        Wishes { language: Some(*b"ast"), large_text: true, more_time: true, simple_view: true, ..Wishes::default() };
    assert_eq!(street.cards[0].wishes, kept);
    street.press("home");
    assert_eq!(offers(&mut street), ["erase-wishes"], "the card holds what is on the screen");
    street.press("finish");
    street.lift();
    street.lay(0);
    let view = street.view();
    assert_eq!((&view["lang"], &view["largeText"]), (&"ast".into(), &true.into()));
    assert_eq!(view["screen"]["tiles"].as_array().unwrap().len(), 3, "two choices, and more");
}

#[test]
fn the_wish_for_more_time_triples_it_and_the_next_person_has_the_ordinary_one() {
    let mut street = Street::new();
    street.cards[0].wishes.more_time = true;
    street.lay(0);
    street.pass(179_000);
    assert_eq!(street.view()["overlay"], serde_json::Value::Null);
    street.pass(1_500);
    assert_eq!(street.view()["overlay"]["kind"], "time-warning");
    street.press("leave");
    street.lift();
    street.lay(1);
    street.pass(60_500);
    assert_eq!(street.view()["overlay"]["kind"], "time-warning");
}

#[test]
fn erasing_leaves_nothing_on_the_card_and_the_screen_as_it_is() {
    let mut street = Street::new();
    erasing(&mut street);
    assert_eq!(rows(&street).len(), 4);
    assert_eq!(writes(&street), 0);
    street.press("write-wishes");
    assert_eq!(street.cards[0].wishes, Wishes::default());
    assert_eq!(street.kind(), "done");
    assert_eq!(street.view()["theme"], "high-contrast", "for the rest of this visit");
    street.press("home");
    assert_eq!(offers(&mut street), ["remember"]);
}

#[test]
fn who_goes_back_has_written_nothing() {
    let mut street = Street::new();
    asking(&mut street);
    street.press("back");
    assert_eq!((street.kind().as_str(), writes(&street)), ("home", 0));
}

#[test]
fn a_wish_this_terminal_cannot_grant_stays_on_the_card() {
    let mut street = Street::new();
    asking(&mut street);
    street.cards[0].wishes.speech = true;
    street.lift();
    street.lay(0);
    // What is shown was built before: it is asked anew.
    street.press("back");
    street.press("looks");
    street.press("remember");
    assert!(rows(&street).iter().any(|row| row == "Voz: Leer la pantalla en voz alta"), "{:?}", rows(&street));
    street.press("write-wishes");
    let wishes = street.cards[0].wishes;
    assert!(wishes.speech && wishes.more_time && wishes.high_contrast);
    assert_eq!(wishes.language, Some(*b"fra"));
}

#[test]
fn a_card_lifted_in_the_middle_is_covered_and_written_when_it_is_laid_back() {
    for credited in [true, false] {
        let mut street = Street::new();
        asking(&mut street);
        street.wish = CreditFate::Torn { credited };
        street.press("write-wishes");
        assert_eq!(street.view()["overlay"]["kind"], "cover");
        assert_nothing_private(&street);
        street.lay(0);
        assert_eq!(street.kind(), "done", "{credited}: {:#}", street.view());
        assert!(street.cards[0].wishes.more_time);
        assert_eq!(writes(&street), if credited { 1 } else { 2 }, "what the card holds is not written again");
    }
}

#[test]
fn a_card_that_is_never_laid_back_leaves_a_screen_that_says_so_with_its_code() {
    let mut street = Street::new();
    asking(&mut street);
    street.wish = CreditFate::Torn { credited: false };
    street.press("write-wishes");
    street.pass(5_500);
    assert_eq!((street.kind().as_str(), street.is_serving()), ("trouble", false));
    assert!(street.view()["screen"]["code"].to_string().contains("C-14"));
    street.pass(5_500);
    assert_eq!(street.kind(), "attract");
}

#[test]
fn a_card_that_does_not_keep_it_is_told_and_can_be_tried_again() {
    let mut street = Street::new();
    asking(&mut street);
    street.wish = CreditFate::NotSent;
    street.press("write-wishes");
    assert_eq!(street.kind(), "trouble");
    assert!(street.view()["screen"]["code"].to_string().contains("C-14"));
    street.press("write-wishes");
    assert_eq!((street.kind().as_str(), street.cards[0].wishes.more_time), ("done", true));
}

#[test]
fn a_card_that_says_nothing_is_given_up() {
    let mut street = Street::new();
    asking(&mut street);
    street.slow_reader = true;
    street.press("write-wishes");
    assert_eq!(street.kind(), "busy");
    street.pass(30_500);
    assert_eq!(street.kind(), "trouble");
    street.let_answer();
    assert_eq!(street.kind(), "trouble", "too late to be good news, and shown on the next visit");
}

#[test]
fn no_card_is_written_without_the_screen_that_shows_what() {
    let mut street = Street::new();
    street.lay(0);
    street.act(Action::WriteWishes);
    street.press("looks");
    street.press("letters");
    street.act(Action::WriteWishes);
    street.act(Action::EraseWishes);
    street.act(Action::WriteWishes);
    assert_eq!(writes(&street), 0);
}

#[test]
fn nothing_is_offered_for_a_card_that_can_keep_none_nor_in_the_middle_of_an_errand() {
    let mut street = Street::new();
    street.act(Action::ToggleLetters);
    street.lay(3);
    assert_eq!(offers(&mut street), Vec::<String>::new(), "a card of the first kind");
    street.lift();
    street.pass(6_000);
    street.act(Action::ToggleLetters);
    street.lay(0);
    assert_eq!(offers(&mut street), ["remember"]);
    street.press("documents");
    assert_eq!(offers(&mut street), ["remember"]);
    street.press("volante-individual");
    assert_eq!(offers(&mut street), Vec::<String>::new(), "while a PIN is typed");
}

#[test]
fn an_answer_for_another_laying_down_changes_nothing() {
    let mut street = Street::new();
    asking(&mut street);
    street.slow_reader = true;
    street.press("write-wishes");
    let other = domain::card::Presentation(99);
    street.say(Event::Reader(ReaderEvent::WishesWritten(other, Wishes::default())));
    street.say(Event::Reader(ReaderEvent::WishesNotWritten(other, FailureCode::CardUnreadable)));
    assert_eq!(street.kind(), "busy");
    assert!(!street.log.iter().any(|line| line.contains(&format!("{:?}", Handle(99)))));
}
