use super::*;

#[test]
fn a_print_name_is_used_once_and_an_unfinished_print_is_found_again() {
    let desk = Desk::new();
    let mut journal = desk.open().journal;
    let name = PrintName("urn:uuid:1".into());
    journal.print_intent(&name, NOW, None).unwrap();
    let again = journal.print_intent(&name, NOW, None);
    assert!(matches!(again, Err(StoreError::Refused(Refusal::NameReused))));
    let mut journal = desk.copied().open().journal;
    assert_eq!(journal.open_prints().unwrap(), std::slice::from_ref(&name));
    let steps = [
        (PrintOutcome::Uncertain(FailureCode::PaperJam), PrintOutcome::Uncertain(FailureCode::PaperJam)),
        (PrintOutcome::Printed, PrintOutcome::Printed),
        (PrintOutcome::NotPrinted(FailureCode::PaperOut), PrintOutcome::Printed),
    ];
    for (said, known) in steps {
        journal.print_outcome(&name, said, NOW, None).unwrap();
        assert_eq!(journal.print_state(&name).unwrap(), Some(PrintState::Ended(known)));
    }
    assert_eq!(journal.open_prints().unwrap(), []);
    let unknown = journal.print_outcome(&PrintName("urn:uuid:2".into()), PrintOutcome::Printed, NOW, None);
    assert!(matches!(unknown, Err(StoreError::Refused(Refusal::Unknown))));
}

#[test]
fn a_code_is_given_out_once_also_across_a_restart() {
    let desk = Desk::new();
    let mut journal = desk.open().journal;
    let codes = [DocumentCode([1; 16]), DocumentCode([2; 16])];
    assert_eq!(journal.add_codes(&codes).unwrap(), 2);
    assert_eq!(journal.take_code(NOW).unwrap(), Some(codes[0]));
    let mut journal = desk.copied().open().journal;
    assert_eq!(journal.add_codes(&codes).unwrap(), 0);
    assert_eq!(journal.codes_left().unwrap(), 1);
    assert_eq!(journal.take_code(NOW).unwrap(), Some(codes[1]));
    assert_eq!(journal.take_code(NOW).unwrap(), None);
}

#[test]
fn the_feed_floor_only_rises() {
    let desk = Desk::new();
    let mut journal = desk.open().journal;
    assert_eq!(journal.floor().unwrap(), FeedFloor::default());
    let floor = |key_version, epoch, sequence| FeedFloor { key_version, epoch, sequence };
    journal.raise_floor(floor(1, 2, 3)).unwrap();
    for lower in [floor(0, 2, 3), floor(1, 1, 9), floor(2, 2, 2)] {
        let refused = journal.raise_floor(lower);
        assert!(matches!(refused, Err(StoreError::Refused(Refusal::GoesBack))), "{lower:?}");
    }
    journal.raise_floor(floor(1, 2, 3)).unwrap();
    journal.raise_floor(floor(1, 2, 4)).unwrap();
    assert_eq!(desk.copied().open().journal.floor().unwrap(), floor(1, 2, 4));
}

#[test]
fn a_clock_behind_a_moment_seen_before_is_noticed() {
    let desk = Desk::new();
    let mut journal = desk.open().journal;
    assert_eq!(journal.check_clock(Timestamp(0)).unwrap(), ClockFloor::Fine);
    journal.raise_clock(Timestamp(100)).unwrap();
    journal.raise_clock(Timestamp(50)).unwrap();
    assert_eq!(journal.check_clock(Timestamp(100)).unwrap(), ClockFloor::Fine);
    assert_eq!(journal.check_clock(Timestamp(99)).unwrap(), ClockFloor::Behind { floor: Timestamp(100) });
}

#[test]
fn pin_tries_never_go_back_to_an_older_attempt() {
    let desk = Desk::new();
    let mut journal = desk.open().journal;
    let (card, generation) = (CardNumber(u64::MAX), Generation(2));
    assert_eq!(journal.pin_tries(card, generation).unwrap(), None);
    let tries = |attempt, failures| PinTries { attempt, failures, pin_version: 1 };
    journal.note_pin_tries(card, generation, tries(5, 2)).unwrap();
    journal.note_pin_tries(card, generation, tries(4, 0)).unwrap();
    assert_eq!(desk.copied().open().journal.pin_tries(card, generation).unwrap(), Some(tries(5, 2)));
    journal.note_pin_tries(card, generation, tries(5, 0)).unwrap();
    assert_eq!(journal.pin_tries(card, generation).unwrap(), Some(tries(5, 0)));
    assert_eq!(journal.pin_tries(card, Generation(3)).unwrap(), None);
}
