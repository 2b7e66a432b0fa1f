//! The built program, without a reader: exit codes, help, completions, man page.

use crate::desk::Office;
use std::path::Path;
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

/// The example in the handbook's part on the card office that begins with this fence.
fn example(fence: &str) -> String {
    let handbook = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operate.md");
    let handbook = std::fs::read_to_string(handbook).unwrap();
    let (_, part) = handbook.split_once("## Card office").unwrap();
    let (_, rest) = part.split_once(&format!("```{fence}\n")).unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

#[test]
fn the_handbooks_key_file_and_list_are_taken_as_they_stand() {
    let office = Office::new();
    office.write("keys.json", &example("json"));
    office.write("list.csv", &example("csv"));
    let make = "--city @city.toml --keys @keys.json personalise --log @log --registrations @kept --batch @list.csv";
    let err = text(&program(&office, make).stderr);
    assert!(err.starts_with("citizen-card: C-01: "), "all was read, and then there was no reader: {err}");
}

/// The pages that a page sends its reader to, such as `citizen-card-inspect(1)`.
fn mentioned(page: &str) -> Vec<String> {
    let plain = page.replace("\\-", "-");
    let names = plain.split("(1)").map(|before| before.split_whitespace().last().unwrap_or_default().to_owned());
    let names: Vec<String> = names.collect();
    names.split_last().map(|(_, names)| names.to_vec()).unwrap_or_default()
}

#[test]
fn the_one_man_page_has_every_command_and_names_no_other_page() {
    let page = text(&program(&Office::new(), "man").stdout);
    assert!(page.starts_with(".ie") || page.contains(".TH citizen-card 1"), "{page}");
    for part in ["INSPECT", "PERSONALISE", "REGISTER", "REKEY", "CHECK", "WISHES", "WISHES SET", "WISHES ERASE"] {
        assert_eq!(page.matches(&format!(".SH \"CITIZEN\\-CARD {part}\"\n")).count(), 1, "{part} in {page}");
    }
    for option in ["\\-\\-batch", "\\-\\-registrations", "\\-\\-show\\-uid", "\\-\\-write", "Exit codes"] {
        assert!(page.contains(option), "{option}");
    }
    assert_eq!(page.matches("Words of the reader").count(), 1, "what all commands share stands once");
    assert_eq!(mentioned(&page), Vec::<String>::new());
}

#[test]
fn the_man_pages_of_a_folder_are_all_there() {
    let office = Office::new();
    let output = program(&office, "man --out @pages");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let page = |name: &str| std::fs::read_to_string(office.path("pages").join(format!("{name}.1")));
    let top = page("citizen-card").unwrap();
    let named = mentioned(&top);
    assert!(named.len() >= 8, "{named:?}");
    let below = mentioned(&page("citizen-card-wishes").unwrap());
    assert_eq!(below, ["citizen-card-wishes-show", "citizen-card-wishes-set", "citizen-card-wishes-erase"]);
    for name in named.iter().chain(&below) {
        assert!(page(name).is_ok_and(|page| page.contains("SYNOPSIS")), "{name}");
    }
    office.write("file", "");
    assert_eq!(program(&office, "man --out @file/pages").status.code(), Some(3));
}

/// What bash offers for the last of these words, of which the first is the program.
fn offered(words: &[&str]) -> Vec<String> {
    let script = text(&program(&Office::new(), "completions bash").stdout);
    let (last, before) = words.split_last().unwrap();
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    let ask = format!(
        "{script}\nCOMP_WORDS=({}); COMP_CWORD={}\n_citizen__card citizen-card '{last}' '{}'\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"",
        quoted.join(" "),
        before.len(),
        before.last().unwrap(),
    );
    let output = Command::new("bash").args(["--norc", "-c", &ask]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout).split_whitespace().map(str::to_owned).collect()
}

#[test]
fn bash_offers_words_at_every_level() {
    let check = |words: &[&str], expected: &[&str]| assert_eq!(offered(words), expected, "{words:?}");
    check(&["citizen-card", "ins"], &["inspect"]);
    check(&["citizen-card", "wishes", "s"], &["show", "set"]);
    check(&["citizen-card", "--wait", "5", "wishes", "e"], &["erase"]);
    check(&["citizen-card", "wishes", "set", "--la"], &["--language", "--large-text"]);
    check(&["citizen-card", "inspect", "--show"], &["--show-uid", "--show-number"]);
    check(&["citizen-card", "check", "--wr"], &["--write"]);
    check(&["citizen-card", "completions", "f"], &["fish"]);
}

#[test]
fn an_output_that_nobody_reads_any_more_ends_a_looking_command_quietly() {
    let office = Office::new();
    for line in ["man", "completions bash"] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = Command::new(env!("CARGO_BIN_EXE_citizen-card"))
            .args(office.arguments(line))
            .stdout(writer)
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap()
            .wait_with_output()
            .unwrap();
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()), "{line}");
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
