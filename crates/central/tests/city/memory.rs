//! What is larger than memory goes through the programs piece by piece. Each program is a process of its own, and the
//! kernel says how much it held at most (VmHWM, proc(5)).

use crate::backend::Backend;
use crate::fixture::{City, Place};
use crate::holders::{HEADER, MAPPING, NEL};
use central::db::params;
use central::key_file::KeyFile;
use central::{CityServer, Database, backup, journal};
use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

const KIB: u64 = 1_024;
const MIB: u64 = 1_048_576;

/// The most memory that a process held so far, in bytes; `None` once it has ended.
fn peak(program: &Child) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", program.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * KIB)
}

/// One document of the archive.
fn insert_document(database: &mut Database, number: u16, pdf: &[u8]) {
    let sql = "INSERT INTO document (code, kind, terminal, issued, received, offline, facts, pdf_sha256, pdf)
               VALUES (?1, 'volante-individual', 3, 1, 1, 0, ?2, ?3, ?4)";
    let (code, facts) = (number.to_be_bytes(), [0_u8; 8]);
    database.write(|write| Ok(write.execute(sql, params![&code[..], &facts[..], [1_u8; 32], pdf])?)).unwrap();
}

#[test]
fn an_archive_larger_than_what_is_held_of_it_is_restored() {
    const DOCUMENTS: u16 = 128;
    let city = City::at(Place::on(Backend::Sqlite), 810, 20, 0);
    let folder = TempDir::new().unwrap();
    let (out, key) = (folder.path().join("backup"), folder.path().join("recovery.json"));
    let mut keys = city.keys();
    journal::write_recovery_key(&keys.make_recovery_key().unwrap(), &key).unwrap();
    keys.save(&city.data.keys()).unwrap();
    CityServer::open(city.data.clone()).unwrap();
    let (mut database, pdf) = (city.database(), vec![0x25; usize::try_from(MIB).unwrap()]);
    (0..DOCUMENTS).for_each(|number| insert_document(&mut database, number, &pdf));
    backup::back_up(&city.data, &out, crate::fixture::NOW).unwrap();

    let place = Place::new();
    let mut restoring = Command::new(env!("CARGO_BIN_EXE_citizen-central"))
        .arg("--data")
        .arg(place.data.path())
        .args(["restore", "--from"])
        .arg(&out)
        .arg("--recovery-key")
        .arg(&key)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut held = 0;
    while restoring.try_wait().unwrap().is_none() {
        held = peak(&restoring).unwrap_or_default().max(held);
        std::thread::yield_now();
    }
    assert!(restoring.wait().unwrap().success());
    assert!((MIB..64 * MIB).contains(&held), "{} MB of {DOCUMENTS} were held", held / MIB);
    let restored = Database::open(place.address()).unwrap();
    let sums = "SELECT count(*), CAST(sum(length(pdf)) AS BIGINT) FROM document";
    let read = |row: &central::db::Row<'_>| Ok((row.get::<u64>(0)?, row.get::<u64>(1)?));
    let found = restored.read().query_row(sums, &[], read).unwrap();
    assert_eq!(found, (DOCUMENTS.into(), u64::from(DOCUMENTS) * MIB));
    assert_eq!(KeyFile::load(&place.data.keys()).unwrap().city, "bahia");
}

/// A line of the register, as long as a real one, whose number has the right letter.
fn line(number: u32) -> String {
    let letter = char::from(b"TRWAGMYFPDXBNJZSQVHLCKE"[usize::try_from(number % 23).unwrap()]);
    let line = NEL.replace("12.345.678-Z", &format!("{number:08}{letter}"));
    format!("{}\r\n", line.replace("2º B", &format!("{}º", number / 3)))
}

#[test]
fn a_register_of_any_length_is_read_in_the_memory_of_a_short_one() {
    const LINES: u32 = 200_000;
    const FIRST: u32 = 10_000;
    let (city, folder) = (City::seeded(811, 4, 0), TempDir::new().unwrap());
    let (mapping, pipe) = (folder.path().join("mapping.toml"), folder.path().join("pipe"));
    std::fs::write(&mapping, MAPPING).unwrap();
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let importing = Command::new(env!("CARGO_BIN_EXE_citizen-central"))
        .arg("--data")
        .arg(city.data.path())
        .args(["import-holders", "--dry-run", "--file"])
        .arg(&pipe)
        .arg("--mapping")
        .arg(&mapping)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut file = BufWriter::new(OpenOptions::new().write(true).open(&pipe).unwrap());
    let mut bytes = HEADER.len();
    write!(file, "{HEADER}\r\n").unwrap();
    // It waits for the rest of its file whenever it is looked at.
    let mut write = |from: u32, to: u32| {
        for number in from..to {
            let line = line(number);
            bytes += line.len();
            file.write_all(line.as_bytes()).unwrap();
        }
        file.flush().unwrap();
        peak(&importing).unwrap()
    };
    let short = write(0, FIRST);
    let long = write(FIRST, LINES);
    drop(file);
    let said = importing.wait_with_output().unwrap();
    assert!(said.status.success());
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(said.starts_with("200000 records: 200000 added, 0 changed, 0 unchanged, 0 rejected"), "{said}");
    let (grown, bytes) = (long - short, u64::try_from(bytes).unwrap());
    assert!(bytes > 20 * MIB, "{bytes}");
    // Whom the file named so far: eight bytes each, in a table that doubles.
    assert!(grown < 8 * MIB, "{} MB more for a file of {} MB", grown / MIB, bytes / MIB);
}
