//! The end of a day, the acquirer's statement, and what a terminal wants to have done.

use crate::register::{ACK, END_OF_DAY, PAY, REGISTER, RESERVE, Register, approving, states, until};
use domain::Cents;
use payment_simulator::{Config, Event, Need, Operator, Simulator, TransactionState, Unanswered};
use std::time::Duration;

#[test]
fn an_end_of_day_tells_the_totals_of_its_batch() {
    let simulator = Simulator::start(Config { first_receipt: 233, ..approving() }).unwrap();
    let mut register = Register::quiet(&simulator);
    register.whole(PAY);
    register.whole(PAY);
    register.whole(PAY);
    register.whole("06 30 06 000000 87 0235");
    register.whole(RESERVE);
    let told = register.whole(END_OF_DAY);
    assert!(told.starts_with("040F4D27000400000000 4080".replace(' ', "").as_str()), "{told}");
    // 53 bytes: receipts 233 to 234, two of Mastercard with 40.80 euro, no other scheme.
    let nothing = "00".repeat(7);
    let totals = format!("60F0F5F302330234{nothing}{nothing}02000000004080{}", nothing.repeat(4));
    assert!(told.ends_with(&totals), "{told}");
    let next = register.whole(END_OF_DAY);
    assert!(next.contains(&format!("60F0F5F300000000{}", nothing.repeat(7))), "{next}");
    assert_eq!(simulator.ledger()[3].state, TransactionState::Reserved, "a reservation outlives the day");
    let settled = simulator.ledger().iter().filter(|one| one.settled.is_some()).count();
    assert_eq!(settled, 3);
}

#[test]
fn another_scheme_has_another_row() {
    for (scheme, row, card_type) in [("girocard", 0, "8A05"), ("Visa Debit", 4, "8A0A"), ("Bizum", 6, "8AFF")] {
        let simulator = Simulator::start(Config { scheme: scheme.to_owned(), ..approving() }).unwrap();
        let mut register = Register::quiet(&simulator);
        assert!(register.whole(PAY).contains(card_type));
        let told = register.whole(END_OF_DAY);
        let at = told.find("60F0F5F3").unwrap() + 8 + 8 + row * 14;
        assert_eq!(&told[at..at + 14], "01000000002040", "{scheme}");
    }
}

#[test]
fn an_end_of_day_may_be_refused() {
    let simulator = Simulator::start(Config { end_of_day_refused: Some(0x77), ..approving() }).unwrap();
    let mut register = Register::quiet(&simulator);
    register.whole(PAY);
    assert_eq!(register.refused(END_OF_DAY), "77");
    assert_eq!(simulator.ledger()[0].settled, None);
}

#[test]
fn a_terminal_closes_its_day_by_itself_at_its_own_time() {
    let config = Config { settles_at: Some("23:30".to_owned()), time_zone: "Europe/Madrid".to_owned(), ..approving() };
    let simulator = Simulator::start(config).unwrap();
    let events = simulator.events();
    let mut register = Register::quiet(&simulator);
    register.whole(PAY);
    simulator.put_clock_forward(Duration::from_secs(24 * 3600));
    until(&events, Event::DayEnded { transactions: 1 });
    assert!(simulator.ledger()[0].settled.is_some());
    assert_eq!(register.refused("06 30 06 000000 87 0001"), "B5");
    register.whole(PAY);
    assert_eq!(simulator.ledger()[1].settled, None, "once a day");
}

#[test]
fn the_statement_is_written_when_the_day_ends() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settlement.csv");
    let config = Config { settlement_file: Some(file.clone()), unanswered: Unanswered::Keep, ..approving() };
    let simulator = Simulator::start(config).unwrap();
    let mut register = Register::quiet(&simulator);
    register.whole(PAY);
    register.whole(RESERVE);
    register.whole("06 24 0A 87 0002 04 000000001500");
    assert!(!file.exists());
    register.whole(END_OF_DAY);
    simulator.operate(Operator::Pay(Cents(100))).unwrap();
    let written = std::fs::read_to_string(&file).unwrap();
    let rows: Vec<&str> = written.lines().map(|line| line.split_once(',').unwrap().1).collect();
    assert_eq!(
        rows,
        [
            "terminal_id,receipt,trace,amount_cents,kind,state",
            "52500021,0001,000001,2040,payment,settled",
            "52500021,0002,000002,2040,reservation,booked",
            "52500021,0003,000003,1500,booking,settled",
        ]
    );
    let now = simulator.settlement();
    assert!(now.starts_with(&written) && now.ends_with("52500021,0004,000005,100,payment,open\n"), "{now}");
}

#[test]
fn a_terminal_wants_its_end_of_day_or_a_diagnosis_before_it_takes_money() {
    for (need, code, command, status) in
        [(Need::EndOfDay, "F0", END_OF_DAY, "1900"), (Need::Diagnosis, "C2", "06 70 00", "1902")]
    {
        let simulator = Simulator::start(approving()).unwrap();
        simulator.configure(|config| config.needs = Some(need)).unwrap();
        let mut register = Register::connect(&simulator);
        register.send(REGISTER);
        register.expect(ACK);
        assert!(register.read().contains(status));
        register.send(ACK);
        for asked in [PAY, RESERVE] {
            assert_eq!(register.refused(asked), code);
        }
        register.send(command);
        register.expect(ACK);
        if command == END_OF_DAY {
            register.outcome();
            register.send(ACK);
        }
        register.expect("06 0F 00");
        register.whole(PAY);
        assert_eq!(states(&simulator), [TransactionState::Posted]);
    }
}
