//! The card office's program on a real pcscd: it makes a card of a blank chip, also one that is lifted in the middle,
//! and looks at it and tests it afterwards.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests may fail as loudly as tests")]

use card_simulator::memory::Chip;
use card_simulator::{
    AnyCard, BlankDescription, CardHost, ClassicCard, FaultKind, FaultPlan, TrayEvent, VirtualCard, When,
};
use domain::Uid;
use domain::city_pack::CityPack;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use testbed::pcsc::{PcscSandbox, SOCKET_VARIABLE, bridge_beside_this_program};

const WAIT: Duration = Duration::from_secs(30);
const UID: [u8; 7] = [4, 1, 2, 3, 4, 5, 6];

/// A private pcscd, a tray, and the office's files.
struct Desk {
    // Before the folder, which it lies in.
    sandbox: PcscSandbox,
    tray: CardHost,
    folder: tempfile::TempDir,
}

fn city_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/city-packs/bahia/city.toml")
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = |digit: &str| digit.repeat(32);
        let keys = serde_json::json!({
            "system_id": "bahia", "picc": key("6"), "master": key("1"), "read": key("2"), "debit": key("3"),
            "credit": key("4"), "uid": key("5"), "transaction_mac": key("7"), "office": key("88"),
        });
        let path = folder.path().join("keys.json");
        fs::write(&path, keys.to_string()).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let pcsc = folder.path().join("pcsc");
        fs::create_dir(&pcsc).unwrap();
        let sandbox = PcscSandbox::start(&pcsc, &bridge_beside_this_program().unwrap()).unwrap();
        let tray = CardHost::listen(&sandbox.tray_socket()).unwrap();
        Self { sandbox, tray, folder }
    }

    /// A blank chip of this kind, which lies in the tray from now on.
    fn lay(&self, chip: Chip) -> Arc<Mutex<AnyCard>> {
        let description = BlankDescription { uid: UID, chip, layout: city().card };
        self.lay_card(VirtualCard::blank(&description).into())
    }

    fn lay_card(&self, card: AnyCard) -> Arc<Mutex<AnyCard>> {
        let card = Arc::new(Mutex::new(card));
        self.tray.insert(Arc::clone(&card));
        card
    }

    fn program(&self, line: &str) -> Command {
        let program = bridge_beside_this_program().unwrap().with_file_name("citizen-card");
        assert!(program.is_file(), "build it with `cargo build -p card-office`");
        let mut command = Command::new(program);
        command.arg("--city").arg(city_file()).arg("--keys").arg(self.folder.path().join("keys.json"));
        command.args(line.split(' ')).env(SOCKET_VARIABLE, self.sandbox.socket_name()).stdin(Stdio::null());
        command
    }

    fn make(&self) -> Command {
        let mut command = self.program("personalise --number 6001234567 --generation 1 --language ast");
        command.arg("--log").arg(self.folder.path().join("log"));
        command.arg("--registrations").arg(self.folder.path().join("kept"));
        command
    }
}

fn city() -> CityPack {
    central::pack::read_folder(city_file().parent().unwrap()).unwrap().0
}

fn well(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn a_blank_chip_becomes_a_card_that_passes_the_test() {
    for chip in [Chip::Ev1, Chip::Ev3] {
        let desk = Desk::new();
        let _card = desk.lay(chip);
        let made = well(&desk.make().output().unwrap());
        assert!(made.ends_with("1 made, 0 were finished before\n"), "{made}");
        let shown = well(&desk.program("inspect").output().unwrap());
        assert!(shown.contains("…4567, generation 1") && shown.contains("wishes        language ast"), "{shown}");
        let tested = well(&desk.program("check --write").output().unwrap());
        assert!(tested.contains("good  writing") && tested.ends_with("all good\n"), "{tested}");
    }
}

#[test]
fn so_does_a_chip_straight_from_its_maker() {
    let desk = Desk::new();
    let description = BlankDescription { uid: UID, chip: Chip::Ev2, layout: city().card };
    let _card = desk.lay_card(VirtualCard::factory(&description).into());
    assert!(well(&desk.make().output().unwrap()).ends_with("1 made, 0 were finished before\n"));
    assert!(well(&desk.program("check --write").output().unwrap()).ends_with("all good\n"));
}

#[test]
fn so_does_a_blank_classic_chip() {
    let desk = Desk::new();
    let _card = desk.lay_card(ClassicCard::blank(Uid::new(&[0x5A, 1, 2, 3]).unwrap()).into());
    well(&desk.make().output().unwrap());
    let shown = well(&desk.program("inspect").output().unwrap());
    assert!(shown.contains("MIFARE Classic 1K") && shown.contains("…4567, generation 1"), "{shown}");
    assert!(well(&desk.program("check").output().unwrap()).ends_with("all good\n"));
}

#[test]
fn a_card_lifted_in_the_middle_is_finished_when_it_is_laid_down_again() {
    let desk = Desk::new();
    let card = desk.lay(Chip::Ev2);
    let events = desk.tray.events();
    card.lock().unwrap().set_faults(FaultPlan::once(When::Exchange(50), FaultKind::TearAfter));
    let program = desk.make().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while events.recv_timeout(WAIT).unwrap() != TrayEvent::Torn {}
    desk.tray.insert(Arc::clone(&card));
    let output = program.wait_with_output().unwrap();
    well(&output);
    assert!(String::from_utf8(output.stderr).unwrap().contains("lay the same card down again"));
    let (number, generation) = card.lock().unwrap().identity().unwrap();
    assert_eq!((number.0, generation.0), (6_001_234_567, 1));
}
