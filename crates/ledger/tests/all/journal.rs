//! Entries: their bytes, their chain, their books.

use crate::world::{Journal, approval, intent, intent_of, subject};
use domain::device::{PaymentApproval, PaymentOrder, PaymentReference};
use domain::{CardNumber, Cents, Day, FailureCode, Generation, TerminalId, Timestamp, TopUpId};
use ledger::{
    Account, Balances, Chain, ChainError, DecodeError, Entry, Fact, Ledger, LedgerError, Posting, Settlement, Subject,
};
use proptest::prelude::*;

const ORDERS: [PaymentOrder; 3] = [PaymentOrder::Vending, PaymentOrder::CaptureFirst, PaymentOrder::PreAuthorise];

fn fact() -> impl Strategy<Value = Fact> {
    let code = (0..FailureCode::ALL.len()).prop_map(|place| FailureCode::ALL[place]);
    let approval = (any::<u32>(), any::<u32>(), any::<i64>(), ".{0,20}").prop_map(|(receipt, trace, cents, text)| {
        let reference = PaymentReference { terminal: text.clone(), receipt, trace };
        PaymentApproval { reference, amount: Cents(cents), scheme: text.clone(), masked_pan: text, ..approval() }
    });
    prop_oneof![
        (any::<u32>(), any::<i64>(), any::<u32>(), any::<i32>(), 0_usize..3, proptest::option::of("[0-9]{0,8}"))
            .prop_map(|(counter_seen, purse, receipt_before, day, order, payment_terminal)| {
                let (purse_seen, day, order) = (Cents(purse), Day(day), ORDERS[order]);
                Fact::Intent { counter_seen, purse_seen, receipt_before, day, order, payment_terminal }
            }),
        any::<i64>().prop_map(|until| Fact::Reserved { until: Timestamp(until) }),
        (any::<u32>(), any::<i64>(), any::<i64>()).prop_map(|(by, before, after)| {
            Fact::CreditedElsewhere { by: TerminalId(by), before: Cents(before), after: Cents(after) }
        }),
        (any::<u32>(), any::<i64>(), any::<i32>(), any::<i64>()).prop_map(|(counter_seen, purse, day, expires)| {
            Fact::Ordered { counter_seen, purse_seen: Cents(purse), day: Day(day), expires: Timestamp(expires) }
        }),
        (any::<i64>(), any::<i64>())
            .prop_map(|(before, after)| Fact::OrderCredited { before: Cents(before), after: Cents(after) }),
        code.clone().prop_map(|code| Fact::CaptureOwed { code }),
        code.clone().prop_map(|code| Fact::OrderLapsed { code }),
        approval.prop_map(|approval| Fact::Authorised { approval }),
        code.clone().prop_map(|code| Fact::Declined { code }),
        code.prop_map(|code| Fact::NotCredited { code }),
        (any::<i64>(), any::<i64>())
            .prop_map(|(before, after)| { Fact::Credited { before: Cents(before), after: Cents(after) } }),
        prop_oneof![Just(Settlement::PaidOut), Just(Settlement::NothingOwed), Just(Settlement::FoundCredited),]
            .prop_map(|by| Fact::ClaimSettled { by }),
        prop_oneof![
            Just(Fact::PaymentUnknown),
            Just(Fact::NeverMade),
            Just(Fact::CreditStarted),
            Just(Fact::InDoubt),
            Just(Fact::AnswerInDoubt),
            Just(Fact::Posted),
            Just(Fact::Voided),
            Just(Fact::Claimed),
            Just(Fact::LeftToCentral),
            Just(Fact::LossCreditedButReversed),
            Just(Fact::LossCaptureExpired),
        ],
    ]
}

prop_compose! {
    fn entry()(
        seq in any::<u64>(), prev in any::<[u8; 32]>(), terminal in any::<u32>(), journal_generation in any::<u32>(),
        at in any::<i64>(), id in any::<[u8; 16]>(), card in any::<u64>(), generation in any::<u8>(),
        amount in any::<i64>(), fact in fact(), moved in any::<i32>(), pairs in 0_usize..3,
    ) -> Entry {
        let accounts = [Account::Acquirer, Account::Transit];
        let pair = [moved, -(moved.max(-i32::MAX))].map(i64::from);
        let pair = if pair[0] == -pair[1] { pair } else { [0, 0] };
        let postings = (0..pairs).flat_map(|_| {
            accounts.into_iter().zip(pair).map(|(account, cents)| Posting { account, amount: Cents(cents) })
        });
        let subject = Subject {
            top_up: TopUpId(id), card: CardNumber(card), generation: Generation(generation), amount: Cents(amount),
        };
        Entry {
            seq, prev, terminal: TerminalId(terminal), journal_generation, at: Timestamp(at), subject, fact,
            postings: postings.collect(),
        }
    }
}

proptest! {
    #[test]
    fn an_entry_reads_back_from_its_bytes(entry in entry()) {
        let bytes = entry.encode();
        prop_assert_eq!(Entry::decode(&bytes).unwrap(), entry);
    }

    #[test]
    fn changed_bytes_never_read_as_the_same_entry(entry in entry(), place in any::<prop::sample::Index>(), flip in 1_u8..) {
        let mut bytes = entry.encode();
        let place = place.index(bytes.len());
        bytes[place] ^= flip;
        if let Ok(other) = Entry::decode(&bytes) {
            prop_assert_ne!(other, entry);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(entry) = Entry::decode(&bytes) {
            prop_assert_eq!(entry.encode(), bytes);
        }
    }
}

#[test]
fn other_bytes_for_the_same_entry_are_refused() {
    let mut journal = Journal::new();
    journal.intend(subject()).unwrap();
    let bytes = journal.entries[0].encode();
    // The sequence number 1 in two bytes instead of one (RFC 8949, 4.2.1 wants the shortest).
    assert_eq!(bytes[..3], [0x8D, 1, 1]);
    let longer = [&bytes[..2], &[0x18, 1], &bytes[3..]].concat();
    assert!(matches!(Entry::decode(&longer), Err(DecodeError::NotCanonical)));
    let trailing = [&bytes[..], &[0]].concat();
    assert!(matches!(Entry::decode(&trailing), Err(DecodeError::NotCanonical)));
}

#[test]
fn an_intent_from_before_there_was_a_choice_keeps_its_bytes() {
    let mut entry = {
        let mut journal = Journal::new();
        journal.intend(subject()).unwrap();
        journal.entries.remove(0)
    };
    let data = |entry: &Entry| {
        let bytes = entry.encode();
        // `kind 1`, then the data; the empty postings are the last byte.
        let begin = bytes.windows(2).rposition(|two| two[0] == 1 && matches!(two[1], 0x84 | 0x86)).unwrap();
        bytes[begin + 1..bytes.len() - 1].to_vec()
    };
    let change = |entry: &mut Entry, now: PaymentOrder, terminal: Option<&str>| {
        let Fact::Intent { order, payment_terminal, .. } = &mut entry.fact else { panic!() };
        (*order, *payment_terminal) = (now, terminal.map(str::to_owned));
    };
    let old = [&[0x84, 4][..], &[0x19, 0x01, 0x5E], &[0x19, 0x01, 0xD6], &[0x19, 0x4E, 0x20]].concat();
    let [new, end] = [&old[1..], &[3, 0xF6]];
    change(&mut entry, PaymentOrder::Vending, None);
    assert_eq!(data(&entry), old);
    assert_eq!(Entry::decode(&entry.encode()).unwrap(), entry);
    change(&mut entry, PaymentOrder::PreAuthorise, None);
    assert_eq!(data(&entry), [&[0x86], new, end].concat());
    change(&mut entry, PaymentOrder::Vending, Some("52500021"));
    assert_eq!(data(&entry), [&[0x86], new, &[1, 0x68], &b"52500021"[..]].concat());

    // The longer form of what has a shorter one is another entry's bytes.
    change(&mut entry, PaymentOrder::PreAuthorise, None);
    let mut bytes = entry.encode();
    let place = bytes.len() - 3;
    assert_eq!(bytes[place], 3);
    bytes[place] = 1;
    assert!(matches!(Entry::decode(&bytes), Err(DecodeError::NotCanonical)));
    bytes[place] = 4;
    assert!(matches!(Entry::decode(&bytes), Err(DecodeError::Unknown("order"))));
}

#[test]
fn books_that_do_not_balance_are_refused() {
    let mut journal = Journal::new();
    journal.intend(subject()).unwrap();
    let mut entry = journal.entries[0].clone();
    entry.postings = vec![Posting { account: Account::Purses, amount: Cents(1) }];
    assert!(matches!(Entry::decode(&entry.encode()), Err(DecodeError::Unbalanced)));
}

fn completed() -> Journal {
    let mut journal = Journal::new();
    journal.intend(subject()).unwrap();
    journal.record(Fact::Authorised { approval: approval() }).unwrap();
    journal.record(Fact::CreditStarted).unwrap();
    journal.record(Fact::Credited { before: Cents(350), after: Cents(2350) }).unwrap();
    journal.record(Fact::Posted).unwrap();
    journal
}

#[test]
fn a_missing_changed_or_foreign_entry_breaks_the_chain() {
    let entries = completed().entries;
    let follow = |entries: &[Entry]| {
        let mut chain = Chain::new(TerminalId(21), 1);
        entries.iter().try_for_each(|entry| chain.accept(entry))
    };
    assert_eq!(follow(&entries), Ok(()));

    let mut missing = entries.clone();
    missing.remove(2);
    assert_eq!(follow(&missing), Err(ChainError::Sequence { expected: 3, found: 4 }));

    let mut changed = entries.clone();
    changed[1].at = Timestamp(0);
    assert_eq!(follow(&changed), Err(ChainError::Broken(3)));

    let mut foreign = entries;
    foreign[0].journal_generation = 2;
    assert_eq!(follow(&foreign), Err(ChainError::OtherJournal));
}

#[test]
fn a_replay_notices_what_does_not_follow() {
    let mut entries = completed().entries;
    entries.swap(1, 2);
    assert!(matches!(Ledger::replay(TerminalId(21), 1, &entries), Err(LedgerError::Step(_))));
    let rest = &completed().entries[1..];
    assert_eq!(Ledger::replay(TerminalId(21), 1, rest), Err(LedgerError::NoSuchTopUp));
}

#[test]
fn a_completed_top_up_owes_the_purse_what_the_acquirer_owes() {
    let journal = completed();
    let balances = Balances::of(&journal.entries);
    assert_eq!(&balances, journal.ledger.balances());
    assert_eq!(balances.get(Account::Acquirer), Cents(2000));
    assert_eq!(balances.get(Account::Purses), Cents(-2000));
    assert_eq!(balances.total(), Cents::ZERO);
}

#[test]
fn an_undecided_payment_blocks_the_next_and_a_card_in_doubt_does_not() {
    let other = Subject { top_up: TopUpId([8; 16]), ..subject() };
    let mut journal = Journal::new();
    journal.intend(subject()).unwrap();
    assert_eq!(journal.intend(subject()), Err(LedgerError::Blocked(subject().top_up)));
    assert_eq!(journal.intend(other), Err(LedgerError::Blocked(subject().top_up)));
    journal.record(Fact::Authorised { approval: approval() }).unwrap();
    journal.record(Fact::CreditStarted).unwrap();
    journal.record(Fact::InDoubt).unwrap();
    assert_eq!(journal.intend(other), Err(LedgerError::Blocked(subject().top_up)));
    journal.record(Fact::Posted).unwrap();
    journal.record(Fact::Claimed).unwrap();
    assert_eq!(journal.intend(other), Ok(()));
    assert_eq!(journal.intend(subject()), Err(LedgerError::Blocked(other.top_up)));
}

#[test]
fn the_float_counts_what_may_have_been_credited_on_its_day() {
    let mut journal = Journal::new();
    let day = Day(20_000);
    journal.intend(subject()).unwrap();
    assert_eq!(journal.ledger.float_used(day), Cents(2000));
    assert_eq!(journal.ledger.float_used(Day(20_001)), Cents::ZERO);
    journal.record(Fact::Declined { code: FailureCode::PaymentRefused }).unwrap();
    assert_eq!(journal.ledger.float_used(day), Cents::ZERO);
    assert_eq!(completed().ledger.float_used(day), Cents(2000));
}

#[test]
fn a_capture_that_is_owed_counts_against_every_day_until_it_is_decided() {
    let mut journal = Journal::new();
    journal.intend_as(subject(), intent_of(PaymentOrder::PreAuthorise)).unwrap();
    let until = Timestamp(1_900_000_000_000);
    let credited = Fact::Credited { before: Cents(350), after: Cents(2350) };
    for fact in [Fact::Authorised { approval: approval() }, Fact::Reserved { until }, Fact::CreditStarted, credited] {
        journal.record(fact).unwrap();
    }
    journal.record(Fact::CaptureOwed { code: FailureCode::PaymentRefused }).unwrap();
    assert_eq!(journal.ledger.balances().get(Account::Loss), Cents(2000), "owed is booked as lost");
    assert!(journal.ledger.blocking().is_none());
    let later = Day(20_009);
    assert_eq!(journal.ledger.float_used(later), Cents(2000));
    let mut lost = Journal { entries: journal.entries.clone(), ledger: journal.ledger.clone() };
    journal.record(Fact::Posted).unwrap();
    assert_eq!(journal.ledger.float_used(later), Cents::ZERO);
    assert_eq!(journal.ledger.balances().get(Account::Loss), Cents::ZERO);
    lost.record(Fact::LossCaptureExpired).unwrap();
    assert_eq!(lost.ledger.balances().get(Account::Loss), Cents(2000));
    assert_eq!(lost.ledger.float_used(Day(20_000)), Cents(2000));
}

#[test]
fn ended_top_ups_are_forgotten_after_a_day_and_open_ones_never() {
    let mut journal = completed();
    let later = |id, day| {
        let subject = Subject { top_up: TopUpId([id; 16]), ..subject() };
        let Fact::Intent { counter_seen, purse_seen, receipt_before, order, payment_terminal, .. } = intent() else {
            panic!()
        };
        (subject, Fact::Intent { counter_seen, purse_seen, receipt_before, day: Day(day), order, payment_terminal })
    };
    for (id, day, known) in [(1, 20_001, true), (2, 20_002, false)] {
        let (next, intent) = later(id, day);
        journal.ledger.intend(Timestamp(0), next, intent).unwrap();
        journal.ledger.record(Timestamp(0), next.top_up, Fact::Declined { code: FailureCode::PaymentRefused }).unwrap();
        assert_eq!(journal.ledger.top_up(subject().top_up).is_some(), known, "{day}");
    }
}
