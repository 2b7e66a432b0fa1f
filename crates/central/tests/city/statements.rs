use crate::fixture::officer;
use crate::money::{A, AFTER, BEFORE, OURS, Street, authorised, intent};
use central::statements::dialect::Dialect;
use central::statements::{File, acquirer, validators};
use domain::{Cents, Timestamp};
use ledger::Fact;
use std::process::Command;

const FIRST: &str = "2026-11-22,52500021,0471,000471,2000,payment,open\n";

fn counts(imported: &central::statements::Imported) -> (u32, u32, usize) {
    (imported.taken, imported.known, imported.rejected.len())
}

fn rejected(imported: &central::statements::Imported) -> Vec<(u64, &str)> {
    imported.rejected.iter().map(|one| (one.line, one.reason.as_str())).collect()
}

#[test]
fn a_settlement_file_counts_once_and_its_transactions_only_move_forward() {
    let street = Street::open();
    assert_eq!(counts(&street.settlement(FIRST)), (1, 0, 0));
    assert_eq!(counts(&street.settlement(FIRST)), (0, 1, 0));
    let next = FIRST.replace("open", "settled");
    let more = "2026-11-23,52500021,0472,000472,500,payment,open\n";
    assert_eq!(counts(&street.settlement(&format!("{next}{more}"))), (2, 0, 0));
    // The older file comes again, late.
    assert_eq!(counts(&street.settlement(FIRST)), (0, 1, 0));
    let lines = acquirer::lines(street.city.database().read()).unwrap();
    let told: Vec<_> = lines.iter().map(|line| (line.receipt, line.amount, line.state.name())).collect();
    assert_eq!(told, [(471, Cents(2_000), "settled"), (472, Cents(500), "open")]);
    assert_eq!(street.count("SELECT count(*) FROM imported_file WHERE kind = 'settlement'"), 4);
}

#[test]
fn lines_that_cannot_be_taken_are_told_with_number_and_reason_and_the_others_count() {
    let street = Street::open();
    let imported = street.settlement(
        "2026-11-22,52500021,0471,000471,2000,payment,settled\n\
         22/11/2026,52500021,0472,000472,2000,payment,settled\n\
         2026-11-22,5250-021,0472,000472,2000,payment,settled\n\
         2026-11-22,52500021,x,000472,2000,payment,settled\n\
         2026-11-22,52500021,0472,000472,\"20,00\",payment,settled\n\
         2026-11-22,52500021,0472,000472,-2000,payment,settled\n\
         2026-11-22,52500021,0472,000472,2000,reversal,settled\n\
         2026-11-22,52500021,0472,000472,2000,refund,settled\n\
         2026-11-22,52500021,0472,000472,2000,payment,done\n\
         2026-11-22,52500021,0472\n\
         2026-11-22,52500021,0471,000471,2100,payment,settled\n\
         2026-11-22,52500021,0473,000473,700,payment,settled\n",
    );
    assert_eq!((imported.taken, imported.known), (2, 0));
    let expected = [
        (3, "column date: not a date as the dialect writes it"),
        (4, "column terminal_id: up to eight digits"),
        (5, "column receipt: not a whole number that can be"),
        (6, "column amount_cents: not an amount as the dialect writes it"),
        (7, "column amount_cents: above zero, and below zero for a reversal"),
        (8, "column amount_cents: above zero, and below zero for a reversal"),
        (9, "column kind: a word that is not known"),
        (10, "column state: a word that is not known"),
        (11, "column trace is missing in this line"),
        (12, "the same transaction was imported with another amount"),
    ];
    assert_eq!(rejected(&imported), expected);
}

#[test]
fn a_file_of_another_house_is_read_by_its_dialect() {
    let street = Street::open();
    let dialect: Dialect = toml::from_str(
        "encoding = 'windows-1252'\namount = 'comma'\ndate = '%d/%m/%Y'\n\
         [columns]\ndate = 'Fecha'\nterminal_id = 'TPV'\nreceipt = 'Operación'\ntrace = 'Traza'\n\
         amount_cents = 'Importe €'\nkind = 'Tipo'\nstate = 'Situación'\n\
         [kinds]\n'VENTA' = 'payment'\n'DEVOLUCIÓN' = 'reversal'\n[states]\n'Liquidada' = 'settled'\n",
    )
    .unwrap();
    let bytes = b"Fecha;TPV;Operaci\xF3n;Traza;Importe \x80;Tipo;Situaci\xF3n\r\n\
        22/11/2026;52500021;471;471;1.020,05;VENTA;Liquidada\r\n\
        22/11/2026;52500021;472;472;-20,00;DEVOLUCI\xD3N;Liquidada\r\n";
    let file = File { name: "liquidacion.csv", bytes };
    let mut database = street.city.database();
    let imported = acquirer::import(&mut database, file, &dialect, &officer("luis"), street.now).unwrap();
    assert_eq!((counts(&imported), rejected(&imported)), ((2, 0, 0), vec![]));
    let amounts: Vec<_> = acquirer::lines(database.read()).unwrap().iter().map(|line| line.amount.0).collect();
    assert_eq!(amounts, [102_005, -2_000]);
    let error = acquirer::import(&mut database, file, &Dialect::default(), &officer("luis"), street.now).unwrap_err();
    assert_eq!(error.to_string(), "line 1: not UTF-8; say encoding = \"windows-1252\" if it is that");
}

#[test]
fn debits_count_once_and_a_counter_belongs_to_one() {
    let street = Street::open();
    let line = |card: u64, counter: u32, cents: i64| format!("2026-11-22T12:30:00+01:00,{card},1,{counter},{cents}\n");
    assert_eq!(counts(&street.debits(&(line(7, 1, 95) + &line(7, 2, 95)))), (2, 0, 0));
    let imported = street.debits(&(line(7, 2, 95) + &line(7, 3, 95) + &line(7, 3, 100) + &line(7, 4, 0)));
    assert_eq!((imported.taken, imported.known), (1, 1));
    let reasons = [(4, "another debit of this card has the same counter"), (5, "column amount_cents: above zero")];
    assert_eq!(rejected(&imported), reasons);
    let database = street.city.database();
    let debits = validators::of_card(database.read(), domain::CardNumber(7), domain::Generation(1)).unwrap();
    assert_eq!(debits.len(), 3);
    assert_eq!(debits[0].at, Timestamp(1_795_347_000_000));
}

#[test]
fn the_program_imports_lists_and_reconciles() {
    let mut street = Street::open();
    let credited = Fact::Credited { before: BEFORE, after: AFTER };
    street.says(A, OURS, [intent(), authorised(471), Fact::CreditStarted, credited, Fact::AnswerInDoubt, Fact::Voided]);
    let folder = street.city.data.feed().with_file_name("");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_citizen-central"));
        let output = command.arg("--data").arg(&folder).args(arguments).output().unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    let path = folder.join("file.csv");
    let name = path.to_str().unwrap();
    std::fs::write(&path, format!("date,terminal_id,receipt,trace,amount_cents,kind,state\n{FIRST}x,,,,,,\n")).unwrap();
    let (good, said) = run(&["import-settlement", name]);
    assert!(!good && said.starts_with("1 taken, 0 known already, 1 rejected\nline 3: "), "{said}");
    std::fs::write(&path, "moment,card,generation,counter,amount_cents\n2026-11-22 12:30:00,7,1,1,95\n").unwrap();
    assert_eq!(run(&["import-debits", name]), (true, "1 taken, 0 known already, 0 rejected\n".to_owned()));
    let csv = folder.join("differences.csv");
    let (good, said) = run(&["reconcile", "--csv", csv.to_str().unwrap()]);
    assert!(good && said.contains("paid-not-booked") && said.ends_with("1 differences\n"), "{said}");
    assert!(std::fs::read_to_string(csv).unwrap().contains("paid-not-booked,finance,2000,"));
    assert_eq!(run(&["claims"]), (true, "no claims\n".to_owned()));
    assert!(run(&["money-days", "order-days", "12"]).1.starts_with("order-days        12\n"));
    assert!(!run(&["settle-claim", "--claim", "K7M-4QX-92", "--officer", "Ana Prado"]).0);
    assert!(!run(&["block-card", "--officer", "Ana Prado"]).0);
}
