use super::*;
use protocol::{HpkePublic, HpkeSecret, WrappedKey};

fn recovery(byte: u8) -> HpkeSecret {
    HpkeSecret::new([byte; 32])
}

fn public(byte: u8) -> HpkePublic {
    recovery(byte).public().unwrap()
}

fn keep(desk: &Desk, byte: u8) -> WrapState {
    keep_wrap(&desk.path(), &desk.key, TERMINAL, &public(byte)).unwrap()
}

fn opened(journal: &Path, byte: u8) -> JournalKey {
    let wrapped = WrappedKey::decode(&std::fs::read(wrap_path(journal)).unwrap()).unwrap();
    JournalKey::from_slice(&*wrapped.open(&recovery(byte)).unwrap()).unwrap()
}

#[test]
fn the_city_opens_a_journal_whose_key_is_lost() {
    let mut desk = Desk::new();
    let Opened { mut journal, mut ledger, .. } = desk.open();
    keep(&desk, 1);
    journal.append(&[intend(&mut ledger, top_up(1)), declined(&mut ledger, top_up(1))]).unwrap();
    drop(journal);
    desk.key = JournalKey::random().unwrap();
    let aside = desk.open().report.set_aside.unwrap().path;
    assert_eq!(keep(&desk, 1), WrapState::Written, "the new journal has a wrap of its own");
    let evidence = Journal::open(&aside, &opened(&aside, 1), TERMINAL, NOW).unwrap();
    assert_eq!(evidence.ledger, ledger);
}

#[test]
fn a_wrap_is_renewed_when_it_is_missing_or_of_another_key_and_else_left_alone() {
    let mut desk = Desk::new();
    assert_eq!(keep(&desk, 1), WrapState::Written);
    assert_eq!(keep(&desk, 1), WrapState::Current);
    assert_eq!(keep(&desk, 2), WrapState::Written, "the city has another recovery key");
    assert!(opened(&desk.path(), 2) == desk.key);
    desk.key = JournalKey::random().unwrap();
    assert_eq!(keep(&desk, 2), WrapState::Written, "the journal has another key");
    std::fs::write(wrap_path(&desk.path()), "rubbish").unwrap();
    assert_eq!(keep(&desk, 2), WrapState::Written);
    assert!(opened(&desk.path(), 2) == desk.key);
}

#[test]
fn a_recovery_key_that_is_none_is_an_error_and_the_journal_opens_all_the_same() {
    let desk = Desk::new();
    let refused = keep_wrap(&desk.path(), &desk.key, TERMINAL, &HpkePublic::new([0; 32]));
    assert!(matches!(refused, Err(StoreError::Key(_))));
    assert!(!wrap_path(&desk.path()).exists());
    desk.open();
}
