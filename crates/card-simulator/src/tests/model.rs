//! The card against a model of three numbers: whatever a reader does, and wherever the card is torn away, purse,
//! newest record and commit counter are those of the last commit.

use super::ev1::every_card;
use super::reader::{CREDIT, LOST, Reader};
use crate::memory::{Chip, CommMode};
use crate::{FaultKind, FaultPlan, VirtualCard, When};
use domain::{Cents, TerminalId};
use proptest::prelude::*;

const MAX: i32 = 15_000;

#[derive(Debug, Clone)]
enum Step {
    Credit(i32),
    Record(u8),
    ReaderId,
    Commit,
    CommitTornBefore,
    CommitTornAfter,
    Abort,
    FieldOff,
    Bus(i32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..6_000).prop_map(Step::Credit),
        4 => any::<u8>().prop_map(Step::Record),
        4 => Just(Step::ReaderId),
        4 => Just(Step::Commit),
        1 => Just(Step::CommitTornBefore),
        1 => Just(Step::CommitTornAfter),
        1 => Just(Step::Abort),
        1 => Just(Step::FieldOff),
        1 => (0..3_000).prop_map(Step::Bus),
    ]
}

/// What must be on the card, and what waits for the commit.
#[derive(Debug, Clone, Default, PartialEq)]
struct Model {
    purse: i32,
    newest: u32,
    commits: u32,
    credit: Option<i32>,
    record: Option<u8>,
    /// Whether the commit would find one; an EV1 asks for none.
    reader_id: bool,
    needs_reader_id: bool,
}

impl Model {
    fn roll_back(&mut self) {
        (self.credit, self.record, self.reader_id) = (None, None, false);
    }

    fn can_commit(&self) -> bool {
        (self.reader_id || !self.needs_reader_id) && (self.credit.is_some() || self.record.is_some())
    }

    fn commit(&mut self) {
        self.purse += self.credit.unwrap_or(0);
        self.newest = self.record.map_or(self.newest, u32::from);
        self.commits += 1;
        self.roll_back();
    }

    /// Whether the card must accept the step; the model has made it.
    fn make(&mut self, step: &Step) -> bool {
        let accepted = match step {
            Step::Credit(cents) => {
                let pending = self.credit.unwrap_or(0) + cents;
                let fits = self.purse + pending <= MAX;
                self.credit = fits.then_some(pending);
                fits
            }
            Step::Record(counter) => {
                self.record = Some(*counter);
                true
            }
            Step::ReaderId => self.needs_reader_id && !std::mem::replace(&mut self.reader_id, true),
            Step::Commit | Step::CommitTornAfter => {
                let possible = self.can_commit();
                if possible {
                    self.commit();
                }
                possible && matches!(step, Step::Commit)
            }
            Step::Abort if self.credit.is_some() || self.record.is_some() => {
                self.roll_back();
                true
            }
            Step::Bus(cents) => {
                self.roll_back();
                if *cents <= self.purse {
                    self.purse -= cents;
                    self.commits += 1;
                }
                false
            }
            Step::Abort | Step::CommitTornBefore | Step::FieldOff => false,
        };
        if !accepted {
            self.roll_back();
        }
        accepted
    }
}

/// CommitTransaction, with the option that newer chips know.
fn commit(reader: &mut Reader<'_>) -> Result<Vec<u8>, u8> {
    if reader.card.memory().chip == Chip::Ev1 { reader.mac(0xC7, &[]) } else { reader.commit() }
}

/// Makes the step on the card; whether its session lives on.
fn make(reader: &mut Reader<'_>, step: &Step) -> bool {
    let torn = |reader: &mut Reader<'_>, kind| {
        reader.card.set_faults(FaultPlan::once(When::Ins(0xC7), kind));
        assert_eq!(commit(reader), Err(LOST));
        false
    };
    match step {
        Step::Credit(cents) => reader.credit(*cents).is_ok(),
        Step::Record(counter) => {
            let mut record = [0; 48];
            record[0] = *counter;
            reader.write_top_up(&record).is_ok()
        }
        Step::ReaderId => reader.reader_id().is_ok(),
        Step::Commit => commit(reader).is_ok(),
        Step::CommitTornBefore => torn(reader, FaultKind::TearBefore),
        Step::CommitTornAfter => torn(reader, FaultKind::TearAfter),
        Step::Abort => reader.send(CommMode::Mac, 0xA7, &[], &[]).is_ok(),
        Step::FieldOff => {
            reader.card.field_off();
            false
        }
        Step::Bus(cents) => {
            let debited = reader.card.debit(Cents(i64::from(*cents)), 1, 1, TerminalId(9));
            assert_eq!(debited.is_ok(), debited.is_ok_and(|movement| movement.balance.0 >= 0));
            false
        }
    }
}

fn compare(card: &VirtualCard, model: &Model) {
    assert_eq!(card.purse(), Some(Cents(i64::from(model.purse))));
    assert_eq!(card.top_ups()[0].counter, model.newest);
    let commits = model.needs_reader_id.then_some(model.commits);
    assert_eq!(card.transaction_mac().map(|(counter, _)| counter), commits, "an EV1 does not count");
}

proptest! {
    #[test]
    fn the_card_is_always_as_its_last_commit_left_it(steps in proptest::collection::vec(step(), 1..40)) {
        for (mut card, scheme) in every_card() {
            let needs_reader_id = card.memory().chip != Chip::Ev1;
            let mut model = Model { purse: 1_250, needs_reader_id, ..Model::default() };
            let mut left = steps.iter().peekable();
            while left.peek().is_some() {
                card.field_off();
                let mut reader = Reader::by(scheme, &mut card, CREDIT);
                for step in left.by_ref() {
                    let accepted = make(&mut reader, step);
                    prop_assert_eq!(accepted, model.make(step), "{:?} {:?}", scheme, step);
                    compare(reader.card, &model);
                    if !accepted {
                        break;
                    }
                }
            }
        }
    }
}
