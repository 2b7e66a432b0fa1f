//! What a terminal in JavaScript would do: the same rows in PouchDB, in a process of its own. Left out, with a word,
//! where Node or its packages are missing (`npm ci` in `tests/peers`).

use crate::Done;
use crate::city::{Shape, id};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;

pub(crate) fn bootstraps(name: &str, shape: Shape, holders: u64, runs: u32) -> Done {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/peers/pouchdb.js");
    let rows = tempfile::NamedTempFile::new()?;
    write(rows.as_file(), shape, holders)?;
    let ran = Command::new("node").arg(program).arg(rows.path()).arg(runs.to_string()).output();
    match ran {
        Ok(done) if done.status.success() => line(name, &String::from_utf8(done.stdout)?),
        Ok(done) => {
            println!(
                "{name:<30} left out: {}",
                String::from_utf8_lossy(&done.stderr).lines().last().unwrap_or_default()
            );
            Ok(())
        }
        Err(error) => {
            println!("{name:<30} left out: {error}");
            Ok(())
        }
    }
}

fn write(file: &File, shape: Shape, holders: u64) -> Done {
    let mut file = BufWriter::new(file);
    for holder in 0..holders {
        let row = shape.row(id(holder, shape.tier));
        file.write_all(&u32::try_from(row.len())?.to_be_bytes())?;
        file.write_all(&row)?;
    }
    Ok(file.flush()?)
}

#[expect(clippy::cast_precision_loss, reason = "numbers of a bench are far below 2^52")]
fn line(name: &str, told: &str) -> Done {
    let (rows, seconds) = told.trim().split_once(' ').ok_or("no line of rows and seconds")?;
    let (rows, seconds): (u64, f64) = (rows.parse()?, seconds.parse()?);
    println!("{name:<30} {rows:>9} {seconds:>8.3} {:>10.0}", rows as f64 / seconds);
    Ok(())
}
