//! The built program, without a reader: exit codes, help, completions, man page.

use crate::desk::Office;
use std::process::{Command, Output};

/// The program with PC/SC's socket where nobody listens.
fn program(office: &Office, line: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_citizen-card"))
        .args(office.arguments(line))
        .env("PCSCLITE_CSOCK_NAME", office.path("no-pcscd"))
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn each_kind_of_failure_has_its_exit_code_and_a_next_step() {
    let office = Office::new();
    office.write("list.csv", "number,generation\nx,1\n");
    office.write("open.json", "{}");
    std::fs::set_permissions(office.path("open.json"), std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let check = |line: &str, exit: i32, code: &str| {
        let output = program(&office, line);
        let err = text(&output.stderr);
        assert_eq!(output.status.code(), Some(exit), "{line}: {err}");
        if !code.is_empty() {
            assert!(err.starts_with(&format!("citizen-card: {code}: ")) && err.contains("\nnext: "), "{line}: {err}");
        }
    };
    let make = "--city @city.toml --keys @keys.json personalise --log @log --registrations @kept";
    check("--help", 0, "");
    check("--version", 0, "");
    check("inspect", 1, "C-01");
    check("check", 1, "C-01");
    check(&format!("{make} --number 7 --generation 1"), 1, "C-01");
    check("", 2, "");
    check("inspect --colour", 2, "");
    check("wishes show", 2, "O-04");
    check(&format!("{make} --batch @list.csv"), 2, "O-04");
    check("--city @city.toml --keys @missing.json wishes show", 3, "O-06");
    check("--city @city.toml --keys @open.json wishes show", 3, "O-05");
    check("--city @keys.json inspect", 3, "O-06");
    let technician = "--city @city.toml --keys @technician.json personalise --log @log --registrations @kept";
    check(&format!("{technician} --number 7 --generation 1"), 3, "O-05");
}

#[test]
fn central_that_is_not_there_is_exit_code_4() {
    let office = Office::new();
    // A registration has to wait, so that central is asked at all.
    let mut row = crate::desk::Row::of(&[crate::desk::blank(card_simulator::memory::Chip::Ev2, 1)]);
    office.one(&mut row, 6_001_234_567, 1, "").well();
    let line = "--city @city.toml --keys @keys.json register --log @log --registrations @kept";
    let output = program(&office, &format!("{line} --central http://127.0.0.1:1 --token @token"));
    assert_eq!(output.status.code(), Some(4), "{}", text(&output.stderr));
    assert!(text(&output.stderr).starts_with("citizen-card: N-01: "));
}

#[test]
fn the_help_says_the_exit_codes_and_every_command() {
    let office = Office::new();
    let help = text(&program(&office, "--help").stdout);
    for word in ["inspect", "personalise", "register", "wishes", "rekey", "check", "completions", "man"] {
        assert!(help.contains(&format!("\n  {word} ")), "{word} is missing in:\n{help}");
        let part = program(&office, &format!("{word} --help"));
        assert!(part.status.success() && part.stdout.len() > 200, "{word}");
    }
    for exit in ["  0  done", "  1  the card or the reader", "  2  the command line", "  3  a key", "  4  central"] {
        assert!(help.contains(exit), "{exit}");
    }
}

#[test]
fn the_man_page_has_every_command_and_the_exit_codes() {
    let page = text(&program(&Office::new(), "man").stdout);
    assert!(page.starts_with(".ie") || page.contains(".TH citizen-card 1"), "{page}");
    for part in ["citizen\\-card inspect", "citizen\\-card personalise", "citizen\\-card rekey", "citizen\\-card check"]
    {
        assert!(page.contains(part), "{part}");
    }
    for option in ["\\-\\-batch", "\\-\\-registrations", "\\-\\-show\\-uid", "\\-\\-write", "Exit codes"] {
        assert!(page.contains(option), "{option}");
    }
}

#[test]
fn every_shell_gets_completions() {
    let office = Office::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = program(&office, &format!("completions {shell}"));
        let script = text(&output.stdout);
        assert!(
            output.status.success() && script.contains("personalise") && script.contains("registrations"),
            "{shell}"
        );
    }
}
