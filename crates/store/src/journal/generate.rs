use super::tests::*;
use super::*;
use domain::*;
use ledger::{Fact, Ledger, Subject};
use protocol::{DocumentIssued, IdempotencyKey, Upload, UploadBody};
fn hex(b: &[u8]) -> String { format!("x'{}'", data_encoding::HEXLOWER.encode(b)) }
#[test]
fn generate() {
    let mut out = String::new();
    let mut l = Ledger::new(TerminalId(7), 3);
    let at = Timestamp(1_790_000_000_000);
    let mut entries = vec![];
    for (id, amount) in [(0x1a_u8, 10_00), (0x2b, 20_00)] {
        let s = Subject { top_up: TopUpId([id; 16]), card: CardNumber(8_000_000_123), generation: Generation(1), amount: Cents(amount) };
        entries.push(l.intend(at.plus_ms(i64::from(id)*1000), s, Fact::Intent { counter_seen: 4, purse_seen: Cents(3_15), receipt_before: 871, day: Day(20_717) }).unwrap());
        if id == 0x1a { entries.push(l.record(at.plus_ms(30_000), TopUpId([id; 16]), Fact::Declined { code: FailureCode::PaymentRefused }).unwrap()); }
    }
    out += "\nINSERT INTO generation VALUES (1, 3, 1789000000000);\n\nINSERT INTO boot VALUES (1, 41);\n\nINSERT INTO entry (seq, top_up, kind, hash, bytes) VALUES\n";
    let rows: Vec<String> = entries.iter().map(|e| format!("    ({}, {}, {},\n     {},\n     {})", e.seq, hex(&e.subject.top_up.0), e.fact.kind().number(), hex(&e.hash()), hex(&e.encode()))).collect();
    out += &rows.join(",\n"); out += ";\n\nINSERT INTO outbox (key, kind, made_ms, bytes, sent) VALUES\n";
    let doc = DocumentIssued::new(DocumentCode([0x51; 16]), domain::document::DocumentKind::VolanteIndividual, vec![1,2,3], at, true, b"%PDF-1.7".to_vec());
    let mut rows = vec![];
    let up = |k: u8, w: Timestamp, body: UploadBody| Upload { terminal: 7, journal_generation: 3, key: IdempotencyKey([k; 16]), written: w.0, body };
    let d = up(0xd0, at, UploadBody::DocumentIssued(doc));
    rows.push((d, 0));
    for (i, e) in entries.iter().enumerate() { rows.push((up(0xe0 + u8::try_from(i).unwrap(), e.at, UploadBody::LedgerEntry(e.encode())), i32::from(i == 0))); }
    let rows: Vec<String> = rows.iter().map(|(u, sent)| format!("    ({}, '{}', {},\n     {},\n     {sent})", hex(&u.key.0), u.body.name(), u.written, hex(&u.encode().unwrap()))).collect();
    out += &rows.join(",\n"); out += ";\n";
    out += "
INSERT INTO print (name, intended_ms, outcome) VALUES
    ('urn:uuid:00000000-0000-4000-8000-000000000001', 1790000000000, 'printed'),
    ('urn:uuid:00000000-0000-4000-8000-000000000002', 1790000001000, 'half'),
    ('urn:uuid:00000000-0000-4000-8000-000000000003', 1790000002000, NULL);

INSERT INTO pin_tries (card, generation, attempt, failures, pin_version) VALUES (8000000123, 1, 12, 2, 3);

INSERT INTO feed_floor (one, epoch, sequence) VALUES (1, 2, 17);

INSERT INTO clock_floor (one, wall_ms) VALUES (1, 1790000002000);

INSERT INTO document_code (code, taken_ms) VALUES
    (x'51515151515151515151515151515151', 1790000000000),
    (x'52525252525252525252525252525252', NULL),
    (x'53535353535353535353535353535353', NULL);
";
    std::fs::write("/tmp/w/rows.sql", out).unwrap();
}
