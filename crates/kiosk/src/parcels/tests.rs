//! Parcels on a terminal whose keys lie in a file.

use super::*;
use crate::terminal_keys::{Own, TlsPair};
use domain::Timestamp;
use protocol::{BaseKey, HpkePublic, HpkeSecret, ReadKey};
use sync::SyncSettings;
use tempfile::TempDir;

pub(crate) const TERMINAL: TerminalId = TerminalId(7);
pub(crate) const CITY: &str = "bahia";

pub(crate) struct Terminal {
    home: KeysHome,
    key: HpkePublic,
    pub(crate) desk: ParcelDesk,
    bundle: PathBuf,
    /// The terminal's TLS key.
    tls: rcgen::KeyPair,
    _folder: TempDir,
}

impl Terminal {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = KeysHome::File(folder.path().join("terminal.keys"));
        let secret = HpkeSecret::new([5; 32]);
        let key = secret.public().unwrap();
        let (mut tls, pair) = TlsPair::make().unwrap();
        tls.certificate = Some(certificate(&pair, 100));
        let own = Some(Own { signing: Secret32::new([4; 32]), parcel: secret, tls });
        let bundle = folder.path().join("enrolment.json");
        std::fs::write(&bundle, enrolment().to_json().unwrap().as_bytes()).unwrap();
        home.write(&Kept { own, ..Kept::default() }).unwrap();
        let nobody = HttpCentral::new("http://127.0.0.1:1", Secret32::new([0; 32]), &SyncSettings::default()).unwrap();
        let keys = Desk::start("keys", home.clone()).unwrap();
        let authorities = vec![certificate(&pair, 0).der];
        let desk = ParcelDesk::new(keys, nobody, (CITY.into(), TERMINAL), authorities, &bundle);
        Self { home, key, desk, bundle, tls: pair, _folder: folder }
    }

    /// A file of parcels with one for the terminal of this number.
    pub(crate) fn file(&self, terminal: TerminalId, parcel: &Parcel) -> Vec<u8> {
        let sealed = parcel.seal(&self.key, CITY, terminal, [9; 32]).unwrap();
        parcel::encode_all(&[(terminal, &sealed)]).unwrap()
    }

    async fn take(&self, parcel: &Parcel) -> Opened {
        self.desk.take(self.file(TERMINAL, parcel)).await.unwrap().unwrap()
    }

    fn kept_epochs(&self) -> Vec<u32> {
        epochs(&self.home.read().unwrap().parcel.unwrap().epochs)
    }
}

/// A certificate for a key. When it ends is what is said beside it.
fn certificate(pair: &rcgen::KeyPair, expires: i64) -> Certificate {
    let der = rcgen::CertificateParams::default().self_signed(pair).unwrap().der().to_vec();
    Certificate { der, issued: Timestamp(0), expires: Timestamp(expires) }
}

/// A bundle with the key of the first epoch.
fn enrolment() -> Enrolment {
    let root = protocol::NoteKey::from_seed("bahia-root", &[1; 32]).unwrap().verifier();
    let json = serde_json::json!({
        "city": CITY, "terminal": 7, "place": "Plaza", "central": "https://central.example",
        "root_key": root, "access_token": Secret32::new([3; 32]), "epoch_keys": [epoch(1)],
        "read_base_keys": [BaseKey::new([6; 16])], "codes": "",
    });
    serde_json::from_value(json).unwrap()
}

pub(crate) fn epoch(epoch: u32) -> EpochKey {
    EpochKey { epoch, key: Secret32::new([u8::try_from(epoch).unwrap(); 32]) }
}

fn epochs(keys: &[EpochKey]) -> Vec<u32> {
    keys.iter().map(|key| key.epoch).collect()
}

pub(crate) fn parcel(keys: &[u32]) -> Parcel {
    let epoch_keys = keys.iter().map(|number| epoch(*number)).collect();
    Parcel { epoch_keys, read_keys: Vec::new(), uid_key: None, codes: None, certificate: None }
}

#[tokio::test]
async fn epoch_keys_are_kept_before_their_feed_is_loaded_and_destroyed_once_a_newer_one_is_served() {
    let terminal = Terminal::new();
    assert_eq!(epochs(&terminal.take(&parcel(&[2, 1])).await.epochs), [2, 1]);
    assert_eq!(epochs(&terminal.take(&parcel(&[3])).await.epochs), [3, 2, 1], "2 is served until 3 is loaded");
    assert_eq!(terminal.kept_epochs(), [3, 2, 1]);
    terminal.desk.forget_before(3);
    // Behind the forgetting, on the same thread.
    assert_eq!(epochs(&terminal.take(&parcel(&[3])).await.epochs), [3]);
    assert_eq!(terminal.kept_epochs(), [3]);
    assert!(read_enrolment(&terminal.bundle).unwrap().epoch_keys.is_empty(), "nor is one left in the bundle");
    let file = match &terminal.home {
        KeysHome::File(path) => std::fs::read_to_string(path).unwrap(),
        KeysHome::SecretService(_) => unreachable!(),
    };
    assert!(!file.contains(&"02".repeat(32)), "the key of epoch 2 is in no file");
}

#[tokio::test]
async fn a_file_without_a_parcel_for_this_terminal_changes_nothing_and_a_forged_one_is_told() {
    let terminal = Terminal::new();
    let strangers = terminal.file(TerminalId(8), &parcel(&[2]));
    assert!(terminal.desk.take(strangers.clone()).await.unwrap().is_none());
    assert!(terminal.home.read().unwrap().parcel.is_none());
    let others = Parcel::seal(&parcel(&[2]), &terminal.key, "otra", TERMINAL, [9; 32]).unwrap();
    let others = parcel::encode_all(&[(TERMINAL, &others)]).unwrap();
    for file in [others, strangers[..strangers.len() - 1].to_vec(), Vec::new()] {
        assert!(matches!(terminal.desk.take(file).await, Err(StoreError::Feed(_))));
    }
    assert!(terminal.home.read().unwrap().parcel.is_none());
}

#[tokio::test]
async fn a_batch_of_codes_is_taken_once() {
    let terminal = Terminal::new();
    let with = |codes: &[u8]| Parcel { codes: Some(codes.to_vec()), ..parcel(&[1]) };
    assert_eq!(terminal.take(&with(b"first")).await.codes.as_deref(), Some(&b"first"[..]));
    assert_eq!(terminal.take(&with(b"first")).await.codes, None);
    assert_eq!(terminal.take(&with(b"second")).await.codes.as_deref(), Some(&b"second"[..]));
}

#[tokio::test]
async fn a_newer_certificate_for_the_terminals_key_is_shown_and_no_other() {
    let terminal = Terminal::new();
    let held = || terminal.home.read().unwrap().own.unwrap().tls.certificate.clone().unwrap();
    let take = async |certificate: Certificate| {
        terminal.take(&Parcel { certificate: Some(certificate), ..parcel(&[1]) }).await;
        held().expires.0
    };
    assert_eq!(take(certificate(&terminal.tls, 99)).await, 100, "an older one");
    let (_, other) = TlsPair::make().unwrap();
    assert_eq!(take(certificate(&other, 101)).await, 100, "one for another key");
    assert_eq!(take(certificate(&terminal.tls, 101)).await, 101);

    let mut next = TlsPair::make().unwrap().0;
    next.certificate = Some(certificate(&terminal.tls, 200));
    terminal.home.change(|kept| kept.next = Some(next)).unwrap();
    assert_eq!(take(certificate(&terminal.tls, 102)).await, 101, "a renewal is under way");
}

#[test]
fn a_certificate_that_cannot_be_kept_is_not_shown() {
    let terminal = Terminal::new();
    let KeysHome::File(path) = &terminal.home else { unreachable!() };
    let replace = |expires| {
        let authorities = [certificate(&terminal.tls, 0).der];
        replaced(&terminal.home, certificate(&terminal.tls, expires), &authorities, |_| Ok(()))
    };
    // Where the next bytes of the file would be written first.
    let in_the_way = path.with_extension("new");
    std::fs::create_dir(&in_the_way).unwrap();
    assert!(replace(101).is_err(), "it is on no disk");
    std::fs::remove_dir(&in_the_way).unwrap();
    assert!(replace(101).unwrap().is_some());
    assert!(replace(101).unwrap().is_none(), "it is in force");
}

#[test]
fn what_parcels_brought_holds_at_the_next_start_and_leaves_the_bundle() {
    let terminal = Terminal::new();
    let mut bundle = enrolment();
    assert_eq!(
        epochs(&settle(&terminal.bundle, &mut bundle, None)),
        [1],
        "before there was a parcel the bundle counts"
    );
    assert_eq!(epochs(&bundle.epoch_keys), [1], "and whoever writes the bundle anew keeps them in it");

    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let read_keys = vec![ReadKey { version: 1, key: BaseKey::new([8; 16]) }];
    runtime.block_on(terminal.take(&Parcel { read_keys, ..parcel(&[2, 1]) }));
    let kept = terminal.home.read().unwrap().parcel;
    assert_eq!(epochs(&settle(&terminal.bundle, &mut bundle, kept.as_ref())), [2, 1]);
    assert_eq!(bundle.read_base_keys[0].expose(), &[8; 16]);
    let left = read_enrolment(&terminal.bundle).unwrap();
    assert!(left.epoch_keys.is_empty(), "no key of an epoch is left in the bundle");
    assert_eq!(left.read_base_keys[0].expose(), &[6; 16], "the rest of the bundle stays as it was");
}
