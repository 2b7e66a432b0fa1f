//! What a register of a million holders costs: time, and the most memory that the program held. The file is written
//! first, then imported as a dry run, in earnest, and once more. `cargo bench -p central --bench register -- [lines]`.

use central::audit::{Actor, Role};
use central::holders_import::{ImportOrder, run};
use central::seed::{SeedPlan, seed};
use central::{DataFolder, Database, clock};
use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

const LINES: u32 = 1_000_000;
const LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";
const MAPPING: &str = r#"
[columns]
identity_number = "DNI"
name = "NOMBRE"
born = "NACIDO"
street = "CALLE"
door = "PUERTA"
postal_code = "CP"
district = "DISTRITO"
section = "SECCION"
"#;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Three to a home, sixty homes to a street.
fn write_register(path: &Path, lines: u32) -> Outcome<u64> {
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(file, "DNI;NOMBRE;NACIDO;CALLE;PUERTA;CP;DISTRITO;SECCION")?;
    for number in 0..lines {
        let letter = usize::try_from(number % 23).ok().and_then(|at| LETTERS.get(at)).copied().map_or('T', char::from);
        let (home, street) = (number / 3, number / 180);
        let (door, district, section) = (home % 60, street % 9 + 1, street % 40);
        writeln!(
            file,
            "{number:08}{letter};Nel Inventado Marea {number};1984-03-27;Calle de la Ola {street};{door};33201;{district};{section}"
        )?;
    }
    file.flush()?;
    Ok(std::fs::metadata(path)?.len())
}

/// The most memory that this process held so far (VmHWM, proc(5)).
fn peak() -> Outcome<String> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    Ok(line.unwrap_or_default().trim().to_owned())
}

fn main() -> Outcome<()> {
    let lines = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(LINES);
    let folder = tempfile::tempdir()?;
    let data = DataFolder::new(&folder.path().join("central"))?;
    let pack = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../assets/city-packs/bahia");
    seed(&data, &pack, &SeedPlan { seed: 7, holders: 4, pins: 0, today: clock::now().day() })?;
    let (file, mapping) = (folder.path().join("register.csv"), folder.path().join("register.toml"));
    std::fs::write(&mapping, MAPPING)?;
    let bytes = write_register(&file, lines)?;
    let mut out = std::io::stdout();
    writeln!(out, "{lines} lines, {bytes} bytes; before: {}", peak()?)?;
    let mut database = Database::open(data.database())?;
    let actor = Actor { name: "bench".to_owned(), role: Role::Console };
    for (what, dry_run) in [("dry run", true), ("import", false), ("the same again", false)] {
        let began = Instant::now();
        let order = ImportOrder {
            file: &file,
            mapping: &mapping,
            report: None,
            dry_run,
            complete: false,
            apply_removals: false,
            removals_max_percent: 0,
        };
        let done = run(&mut database, &actor, &order, clock::now())?;
        writeln!(out, "{:8.2} s  at most {}  {what}: {done}", began.elapsed().as_secs_f64(), peak()?)?;
    }
    Ok(())
}
