//! The import of bookings, and which of them a terminal is told of.

use crate::browser::console;
use crate::fixture::{City, DemoCard, NOW};
use crate::follower::{Follower, secret};
use central::bookings_import::{BookingsOrder, ImportedBookings, run};
use central::db::params;
use central::publish::publish;
use central::refusal::Refusal;
use central::{CentralError, audit};
use domain::Timestamp;
use std::fmt::Write as _;
use std::path::Path;
use tempfile::TempDir;

const DAY_MS: i64 = 86_400_000;
const HOUR_MS: i64 = 3_600_000;

const MAPPING: &str = r#"
moments = ["%d/%m/%Y %H:%M"]
report_key = "NUM"
[columns]
identity_number = "DNI"
card = "TARJETA"
service = "SERVICIO"
starts = ["FECHA", "HORA"]
place = "LUGAR"
[words.service]
PADEL = 4
"#;

/// A city of six, two of them with a card at hand, and nothing booked.
struct Desk {
    city: City,
    cards: Vec<DemoCard>,
    folder: TempDir,
}

impl Desk {
    fn open(seed: u64) -> Self {
        let city = City::seeded(seed, 6, 2);
        city.database().write(|write| Ok(write.execute("DELETE FROM booking", params![])?)).unwrap();
        let cards = city.demo_cards();
        Self { city, cards, folder: TempDir::new().unwrap() }
    }

    fn number(&self, card: usize) -> u64 {
        self.cards[card].card.identity.number.0
    }

    fn identity(&self, card: usize) -> String {
        let number = i64::try_from(self.number(card)).unwrap();
        let query = "SELECT identity_number FROM holder JOIN card ON card.holder = holder.id WHERE number = ?1";
        self.city.database().read().query_row(query, params![number], |row| row.get(0)).unwrap()
    }

    /// A line of the first holder, by identity number.
    fn line(&self, day: &str, hour: &str, place: &str) -> String {
        format!("1;{};;PADEL;{day};{hour};{place}", self.identity(0))
    }

    fn import_at(
        &self,
        now: Timestamp,
        lines: &[&str],
        report: Option<&Path>,
        adjust: impl FnOnce(&mut BookingsOrder<'_>),
    ) -> Result<ImportedBookings, CentralError> {
        let (mapping, file) = (self.folder.path().join("mapping.toml"), self.folder.path().join("bookings.csv"));
        let mut text = "NUM;DNI;TARJETA;SERVICIO;FECHA;HORA;LUGAR\r\n".to_owned();
        lines.iter().for_each(|line| write!(text, "{line}\r\n").unwrap());
        std::fs::write(&mapping, MAPPING).unwrap();
        std::fs::write(&file, text).unwrap();
        let mut order = BookingsOrder {
            file: &file,
            mapping: &mapping,
            report,
            dry_run: false,
            complete: false,
            cancelled_max_percent: 50,
        };
        adjust(&mut order);
        run(&mut self.city.database(), &console(), &order, now)
    }

    fn import(&self, lines: &[&str]) -> ImportedBookings {
        self.import_at(NOW, lines, None, |_| {}).unwrap()
    }

    fn complete(&self, lines: &[&str], percent: u8) -> Result<ImportedBookings, CentralError> {
        self.import_at(NOW, lines, None, |order| (order.complete, order.cancelled_max_percent) = (true, percent))
    }

    /// Service, start and place of every booking.
    fn booked(&self) -> Vec<(u8, i64, String)> {
        let query = "SELECT service, starts, place FROM booking ORDER BY starts, holder";
        let read = |row: &central::db::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        self.city.database().read().query(query, params![], read).unwrap()
    }

    /// The place that a terminal is told of with the first card, after a publication at this moment.
    fn told(&self, now: Timestamp) -> Option<String> {
        publish(&self.city.data, &mut self.city.database(), &self.city.keys(), now).unwrap();
        let record = Follower::of(&self.city).tap_record(&secret(&self.cards[0]));
        record.booking.as_ref().map(|booking| booking.place.clone())
    }
}

fn counts(records: u64, added: u64, changed: u64, unchanged: u64, rejected: u64) -> ImportedBookings {
    ImportedBookings { records, added, changed, unchanged, rejected, ..ImportedBookings::default() }
}

#[test]
fn a_file_says_who_has_booked_by_identity_number_or_card_and_the_same_file_again_changes_nothing() {
    let desk = Desk::open(821);
    let (own, other) = (desk.line("22/11/2026", "18:30", "Pista 2"), desk.number(1));
    let by_card = format!("2;;{other};5;23/11/2026;09:00;");
    assert_eq!(desk.import(&[&own, &by_card]), counts(2, 2, 0, 0, 0));
    // 18:30 in Madrid is 17:30 UTC.
    let evening = NOW.0 + 6 * HOUR_MS + HOUR_MS / 2;
    let expected = vec![(4, evening, "Pista 2".to_owned()), (5, NOW.0 + 21 * HOUR_MS, String::new())];
    assert_eq!(desk.booked(), expected);
    assert_eq!(desk.import(&[&own, &by_card]), counts(2, 0, 0, 2, 0));
    assert_eq!(desk.import(&[&own.replace("Pista 2", "Pista 3"), &by_card]), counts(2, 0, 1, 1, 0));
    assert_eq!(desk.booked()[0].2, "Pista 3");
    let told = audit::newest(desk.city.database().read(), 2).unwrap();
    assert_eq!((told[0].what.as_str(), told[1].what.as_str()), ("bookings imported", "bookings import begun"));
    assert!(told[0].about.starts_with("2 records: 0 added, 1 changed"), "{}", told[0].about);
}

#[test]
fn a_dry_run_says_the_same_and_writes_nothing() {
    let desk = Desk::open(822);
    let line = desk.line("22/11/2026", "18:30", "Pista 2");
    let acts = audit::newest(desk.city.database().read(), 9).unwrap().len();
    let dry = |complete: bool| {
        let adjust = |order: &mut BookingsOrder<'_>| {
            (order.dry_run, order.complete, order.cancelled_max_percent) = (true, complete, 100);
        };
        desk.import_at(NOW, &[&line], None, adjust).unwrap()
    };
    assert_eq!(dry(false), counts(1, 1, 0, 0, 0));
    assert_eq!((desk.booked().len(), audit::newest(desk.city.database().read(), 9).unwrap().len()), (0, acts));
    desk.import(&[&desk.line("22/11/2026", "20:00", "Pista 1")]);
    assert_eq!(dry(true).cancelled, 1);
    assert_eq!(desk.booked().len(), 1);
}

#[test]
fn every_line_that_is_not_taken_is_told_by_number_column_and_code() {
    let desk = Desk::open(823);
    let good = desk.line("22/11/2026", "18:30", "Pista 2");
    let bad = |number: u8, from: &str, to: &str| good.replacen("1;", &format!("{number};"), 1).replace(from, to);
    let identity = desk.identity(0);
    let lines = [
        good.clone(),
        bad(3, &identity, "00000000T"),
        bad(4, &identity, ""),
        bad(5, &format!("{identity};"), ";drei"),
        bad(6, "PADEL", "PELOTA"),
        bad(7, "PADEL", "99"),
        bad(8, "18:30", "25:30"),
        bad(9, "22/11/2026", "2026-11-22"),
        bad(10, "Pista 2", &"x".repeat(61)),
        bad(11, "Pista 2", "Pista 2;"),
        bad(12, "", ""),
        // Over since yesterday: nobody's mistake.
        bad(13, "22/11/2026", "21/11/2026"),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let report = desk.folder.path().join("rejected.csv");
    let done = desk.import_at(NOW, &lines, Some(&report), |_| {}).unwrap();
    assert_eq!(done, ImportedBookings { past: 1, ..counts(12, 1, 0, 0, 10) });
    let text = std::fs::read_to_string(&report).unwrap();
    let mut told: Vec<&str> = text.lines().skip(1).collect();
    told.sort_by_key(|line| line.split(',').next().unwrap().parse::<u32>().unwrap());
    let expected = [
        "3,\"DNI\",holder-unknown,\"3\"",
        "4,\"TARJETA\",empty,\"4\"",
        "5,\"TARJETA\",number,\"5\"",
        "6,\"SERVICIO\",value,\"6\"",
        "7,\"SERVICIO\",value,\"7\"",
        "8,\"FECHA\",date,\"8\"",
        "9,\"FECHA\",date,\"9\"",
        "10,\"LUGAR\",length,\"10\"",
        "11,\"line\",columns,\"11\"",
        "12,\"line\",duplicate,\"12\"",
    ];
    assert_eq!(told, expected);
    assert!(!text.contains(&identity), "never by what it says");
}

#[test]
fn what_a_complete_file_no_longer_has_was_cancelled_within_a_limit_and_never_because_a_line_was_not_read() {
    let desk = Desk::open(824);
    let hours = ["13:00", "14:00", "15:00", "16:00"];
    let lines = hours.map(|hour| desk.line("22/11/2026", hour, "Pista 2"));
    let lines = lines.each_ref().map(String::as_str);
    assert_eq!(desk.complete(&lines, 0).unwrap(), counts(4, 4, 0, 0, 0));
    let refused = desk.complete(&lines[..1], 50).unwrap_err();
    assert!(matches!(refused, CentralError::Refused(Refusal::TooManyMissing)), "{refused}");
    let unread = desk.complete(&[lines[0], lines[1], lines[2], &lines[3].replace("16:00", "16h")], 100).unwrap_err();
    assert!(matches!(unread, CentralError::Refused(Refusal::LinesUnread)), "{unread}");
    assert_eq!(desk.booked().len(), 4);
    let done = desk.complete(&lines[..2], 50).unwrap();
    assert_eq!((done.unchanged, done.cancelled, desk.booked().len()), (2, 2, 2));
    // What began before today is none of the file's business.
    desk.import_at(NOW.plus_ms(-DAY_MS), &[&desk.line("21/11/2026", "23:30", "Pista 9")], None, |_| {}).unwrap();
    assert_eq!(desk.complete(&lines[..2], 0).unwrap(), counts(2, 0, 0, 2, 0));
    assert_eq!(desk.booked().len(), 3);
}

#[test]
fn a_terminal_is_told_of_the_days_next_booking_and_of_no_other_days() {
    let desk = Desk::open(825);
    let yesterday = desk.line("21/11/2026", "18:30", "Yesterday");
    desk.import_at(NOW.plus_ms(-DAY_MS), &[&yesterday], None, |_| {}).unwrap();
    assert_eq!(desk.told(NOW.plus_ms(-DAY_MS)), Some("Yesterday".to_owned()));
    assert_eq!(desk.told(NOW), None, "it is over");
    let lines = [
        desk.line("23/11/2026", "00:15", "Tomorrow"),
        desk.line("22/11/2026", "18:30", "Evening"),
        desk.line("22/11/2026", "13:00", "Noon"),
    ];
    assert_eq!(desk.import(&lines.each_ref().map(String::as_str)).added, 3);
    // It is 12:00 in the city.
    let at = |hours: i64| desk.told(NOW.plus_ms(hours * HOUR_MS));
    assert_eq!(at(0), Some("Noon".to_owned()));
    assert_eq!(at(2), Some("Evening".to_owned()));
    assert_eq!(at(8), Some("Evening".to_owned()), "the last one stays");
    // After the city's midnight, which is an hour before that of UTC.
    assert_eq!(desk.told(NOW.plus_ms(12 * HOUR_MS + HOUR_MS / 10)), Some("Tomorrow".to_owned()));
    let taken = desk.complete(&[&lines[1]], 100).unwrap();
    assert_eq!((taken.cancelled, desk.told(NOW.plus_ms(13 * HOUR_MS))), (2, None), "cancelled");
}
