//! The import of the register of holders.

use crate::browser::console;
use crate::fixture::{City, NOW};
use central::CentralError;
use central::audit;
use central::db::params;
use central::holders_import::{ImportOrder, Imported, run};
use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

pub(crate) const MAPPING: &str = r#"
dates = ["%d/%m/%Y", "%Y-%m-%d"]
report_key = "NUM"
[columns]
identity_number = "DNI"
name = ["NOMBRE", "APELLIDOS"]
born = "NACIDO"
registered = "ALTA"
street = "CALLE"
door = ["PORTAL", "PISO"]
postal_code = "CP"
district = "DISTRITO"
section = "SECCION"
price_class = "CLASE"
taxes_due = "DEUDA"
protected = "PROTEGIDO"
card = "TARJETA"
[words.price_class]
GENERAL = 0
JOVEN = 2
[words.protected]
S = true
N = false
[[entitlements]]
service = 5
column = "BIBLIOTECA"
yes = ["S"]
until = "BIB_HASTA"
"#;

pub(crate) const HEADER: &str = "NUM;DNI;NOMBRE;APELLIDOS;NACIDO;ALTA;CALLE;PORTAL;PISO;CP;DISTRITO;SECCION;CLASE;DEUDA;PROTEGIDO;TARJETA;BIBLIOTECA;BIB_HASTA";
pub(crate) const NEL: &str = "1;12.345.678-Z;Nel;Marea Uría;27/03/1984;2001-05-01;Calle de la Ola;3;2º B;33201;1;7;JOVEN;1.234,50;N;;S;31/12/2026";
pub(crate) const AUREA: &str =
    "2;X0000000T;Áurea;Ñande;01/01/1990;2010-01-01;Calle de la Ola;3;2º B;33201;1;7;GENERAL;0;S;;N;";

/// A city of four, and a place for files.
pub(crate) struct Desk {
    pub(crate) city: City,
    pub(crate) folder: TempDir,
}

impl Desk {
    pub(crate) fn open(seed: u64) -> Self {
        Self { city: City::seeded(seed, 4, 0), folder: TempDir::new().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn import_with(
        &self,
        mapping: &str,
        file: &[u8],
        adjust: impl FnOnce(&mut ImportOrder<'_>),
    ) -> Result<Imported, CentralError> {
        self.import_and_tell(mapping, file, None, adjust)
    }

    pub(crate) fn reported(&self, file: &str, report: &Path) -> Result<Imported, CentralError> {
        self.import_and_tell(MAPPING, file.as_bytes(), Some(report), |_| {})
    }

    pub(crate) fn import_and_tell(
        &self,
        mapping: &str,
        file: &[u8],
        report: Option<&Path>,
        adjust: impl FnOnce(&mut ImportOrder<'_>),
    ) -> Result<Imported, CentralError> {
        let (mapping_path, file_path) = (self.path("mapping.toml"), self.path("holders.csv"));
        std::fs::write(&mapping_path, mapping).unwrap();
        std::fs::write(&file_path, file).unwrap();
        let mut order = ImportOrder {
            file: &file_path,
            mapping: &mapping_path,
            report,
            dry_run: false,
            complete: false,
            apply_removals: false,
            removals_max_percent: 5,
        };
        adjust(&mut order);
        run(&mut self.city.database(), &console(), &order, NOW)
    }

    pub(crate) fn import(&self, lines: &[&str]) -> Imported {
        self.import_with(MAPPING, csv(lines).as_bytes(), |_| {}).unwrap()
    }

    pub(crate) fn count(&self, table: &str) -> i64 {
        let query = format!("SELECT count(*) FROM {table}");
        self.city.database().read().query_row(&query, &[], |row| row.get(0)).unwrap()
    }

    /// Everything of a holder, as one text.
    pub(crate) fn holder(&self, identity: &str) -> String {
        let query = "SELECT holder.name, born, registered, price_class, taxes_due, protected, street.name, postal_code,
                            door, section, district.id, coalesce(service, 0), coalesce(until, 0)
                     FROM holder JOIN household ON household.id = household JOIN street ON street.id = street
                     JOIN district ON district.id = district LEFT JOIN entitlement ON entitlement.holder = holder.id
                     WHERE identity_number = ?1";
        let read = |row: &central::db::Row<'_>| {
            let mut all = String::new();
            for column in 0..row.width() {
                match row.value(column)? {
                    central::db::Value::Text(text) => all.push_str(text),
                    central::db::Value::Int(number) => write!(all, "{number}").unwrap(),
                    _ => all.push('?'),
                }
                all.push('|');
            }
            Ok(all)
        };
        self.city.database().read().query_row(query, params![identity], read).unwrap()
    }
}

pub(crate) fn csv(lines: &[&str]) -> String {
    let mut file = format!("{HEADER}\r\n");
    for line in lines {
        write!(file, "{line}\r\n").unwrap();
    }
    file
}

pub(crate) fn counts(records: u64, added: u64, changed: u64, unchanged: u64, rejected: u64) -> Imported {
    Imported { records, added, changed, unchanged, rejected, ..Imported::default() }
}

#[test]
fn a_file_fills_the_registry_and_the_same_file_again_changes_nothing() {
    let desk = Desk::open(641);
    let (homes, streets) = (desk.count("household"), desk.count("street"));
    assert_eq!(desk.import(&[NEL, AUREA]), counts(2, 2, 0, 0, 0));
    let expected = "Nel Marea Uría|5199|11443|2|123450|0|Calle de la Ola|33201|3 2º B|7|1|5|20818|";
    assert_eq!(desk.holder("12345678Z"), expected);
    assert_eq!(desk.holder("X0000000T"), "Áurea Ñande|7305|14610|0|0|1|Calle de la Ola|33201|3 2º B|7|1|0|0|");
    assert_eq!((desk.count("household"), desk.count("street")), (homes + 1, streets + 1), "they live together");
    assert_eq!(desk.import(&[NEL, AUREA]), counts(2, 0, 0, 2, 0));
    assert_eq!((desk.count("household"), desk.count("street")), (homes + 1, streets + 1));
    let moved = NEL.replace("2º B", "3º A").replace("JOVEN", "GENERAL");
    assert_eq!(desk.import(&[&moved, AUREA]), counts(2, 0, 1, 1, 0));
    assert!(desk.holder("12345678Z").contains("|0|123450|0|Calle de la Ola|33201|3 3º A|7|"));
    let told = audit::newest(desk.city.database().read(), 1).unwrap().remove(0);
    assert_eq!(told.what, "holders imported");
    assert!(told.about.starts_with("2 records: 0 added, 1 changed, 1 unchanged"), "{}", told.about);
}

#[test]
fn a_dry_run_says_the_same_and_writes_nothing() {
    let desk = Desk::open(642);
    let dry = |lines: &[&str]| desk.import_with(MAPPING, csv(lines).as_bytes(), |order| order.dry_run = true).unwrap();
    let (before, acts) = (desk.city.database().content_hash().unwrap(), desk.count("audit"));
    assert_eq!(dry(&[NEL, AUREA]), counts(2, 2, 0, 0, 0));
    assert_eq!(desk.city.database().content_hash().unwrap(), before);
    assert_eq!(desk.count("audit"), acts);
    desk.import(&[NEL]);
    assert_eq!(dry(&[NEL, AUREA, &NEL.replace("Z;", "A;")]), counts(3, 1, 0, 1, 1));
}

#[test]
fn every_rejected_line_is_told_by_number_column_and_code_and_never_by_what_it_says() {
    let desk = Desk::open(643);
    let bad = |from: &str, to: &str, number: &str| NEL.replace("1;12.345.678-Z", number).replace(from, to);
    let lines = [
        NEL.to_owned(),
        AUREA.to_owned(),
        bad("", "", "3;12345678A"),
        bad("", "", "4;12345678Z"),
        bad("27/03/1984", "31/02/1984", "5;00000000T"),
        bad("27/03/1984", "27/03/2084", "6;1R"),
        bad("JOVEN", "DUQUE", "7;Y0000000Z"),
        bad("1.234,50", "1234,567", "8;Z0000000M"),
        bad("Nel", "N\u{1}el", "9;00000002W"),
        bad("Nel;", "", "10;00000003A"),
        bad("Marea Uría", "Marea UrÃ\u{ad}a", "11;00000004G"),
        bad("", "", "12;"),
        "13;00000005M;\"Nel".to_owned(),
        bad("Calle de la Ola", &"x".repeat(201), "14;00000006Y"),
        bad("Calle de la Ola", "", "15;00000007F"),
        bad("Calle de la Ola", &"x".repeat(20_000), "16;00000008P"),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let report = desk.path("rejected.csv");
    let file = csv(&lines);
    let done = desk.reported(&file, &report).unwrap();
    assert_eq!(done, counts(16, 2, 0, 0, 14));
    let expected = "line,column,code,key\r\n4,\"DNI\",identity,\"3\"\r\n5,\"DNI\",duplicate,\"4\"\r\n\
        6,\"NACIDO\",date,\"5\"\r\n7,\"NACIDO\",future,\"6\"\r\n8,\"CLASE\",value,\"7\"\r\n9,\"DEUDA\",amount,\"8\"\r\n\
        10,\"NOMBRE\",control,\"9\"\r\n11,\"line\",columns,\"10\"\r\n12,\"NOMBRE\",encoding,\"11\"\r\n\
        13,\"DNI\",empty,\"12\"\r\n14,\"line\",quote,\"\"\r\n15,\"CALLE\",length,\"14\"\r\n16,\"CALLE\",empty,\"15\"\r\n\
        17,\"line\",line-length,\"\"\r\n";
    assert_eq!(std::fs::read_to_string(&report).unwrap(), expected);
    assert_eq!(std::fs::metadata(&report).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!desk.path("none.csv").exists());
    desk.reported(&csv(&[NEL]), &desk.path("none.csv")).unwrap();
    assert!(!desk.path("none.csv").exists(), "nothing was rejected: the same command works tomorrow");
    // An import that was killed before it rejected anything has left the first line only.
    std::fs::write(desk.path("none.csv"), "line,column,code,key\r\n").unwrap();
    desk.reported(&csv(&[NEL]), &desk.path("none.csv")).unwrap();
    let nowhere = desk.reported(&csv(&[NEL]), &desk.path("nowhere/none.csv"));
    assert!(matches!(nowhere, Err(CentralError::File { .. })), "before anything is imported");
    let again = desk.reported(&file, &report);
    assert!(again.unwrap_err().to_string().contains("is there already"), "a report is never overwritten");
}

#[test]
fn files_of_every_encoding_say_the_same_and_a_wrong_one_is_noticed() {
    let desk = Desk::open(644);
    let file = csv(&[NEL, AUREA]);
    let with = |encoding: &str| format!("encoding = \"{encoding}\"\n{MAPPING}");
    let single: Vec<u8> = file.chars().map(|one| u8::try_from(u32::from(one)).unwrap()).collect();
    let wide = |bytes: fn(u16) -> [u8; 2]| -> Vec<u8> { file.encode_utf16().flat_map(bytes).collect() };
    assert_eq!(desk.import(&[NEL, AUREA]).added, 2);
    let same = |mapping: &str, file: &[u8]| {
        let done = desk.import_with(mapping, file, |_| {}).unwrap();
        assert_eq!(done, counts(2, 0, 0, 2, 0), "{mapping}");
    };
    same(MAPPING, format!("\u{feff}{file}").as_bytes());
    for encoding in ["windows-1252", "iso-8859-1", "iso-8859-15"] {
        same(&with(encoding), &single);
    }
    same(&with("utf-16le"), &wide(u16::to_le_bytes));
    same(&with("utf-16be"), &wide(u16::to_be_bytes));
    // The wrong one: every line with a letter of its own is rejected, and nothing is spoilt.
    let before = desk.city.database().content_hash().unwrap();
    assert_eq!(desk.import_with(MAPPING, &single, |_| {}).unwrap(), counts(2, 0, 0, 0, 2));
    for encoding in ["windows-1252", "iso-8859-1", "iso-8859-15"] {
        let done = desk.import_with(&with(encoding), file.as_bytes(), |_| {}).unwrap();
        assert_eq!(done, counts(2, 0, 0, 0, 2), "{encoding}");
    }
    let marked = format!("\u{feff}{file}");
    let marked: Vec<u8> = marked.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(matches!(desk.import_with(MAPPING, &marked, |_| {}), Err(CentralError::Content { .. })));
    assert_eq!(desk.city.database().content_hash().unwrap(), before);
}

#[test]
fn columns_are_named_or_numbered_and_one_that_is_missing_stops_the_import() {
    let desk = Desk::open(645);
    let numbered = "delimiter = \",\"\nquote = \"'\"\nheader = false\ncheck_identity = false\n[columns]\n\
        identity_number = 1\nname = 2\nborn = 3\nstreet = 4\ndoor = 5\npostal_code = 6\ndistrict = 7\n";
    let file = "PAS778899,'Marea, Nel',1984-03-27,Calle de la Ola,3,33201,La Nueva\n";
    assert_eq!(desk.import_with(numbered, file.as_bytes(), |_| {}).unwrap(), counts(1, 1, 0, 0, 0));
    let today = NOW.day().0;
    let districts = desk.count("district");
    let expected = format!("Marea, Nel|5199|{today}|0|0|0|Calle de la Ola|33201|3|0|{districts}|0|0|");
    assert_eq!(desk.holder("PAS778899"), expected, "a district that was unknown is made");
    assert_eq!(desk.import_with(numbered, file.as_bytes(), |_| {}).unwrap(), counts(1, 0, 0, 1, 0));
    let wrong = MAPPING.replace("\"NACIDO\"", "\"NACIMIENTO\"");
    let error = desk.import_with(&wrong, csv(&[NEL]).as_bytes(), |_| {}).unwrap_err().to_string();
    assert!(error.contains("NACIMIENTO") && !error.contains("12.345"), "{error}");
    assert!(desk.import_with("encoding = \"ebcdic\"", b"", |_| {}).is_err());
}
