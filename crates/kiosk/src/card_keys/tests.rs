//! Keys that move from a bundle into a credential store, and what may go wrong on the way.

use super::*;
use domain::TerminalId;
use keyring_core::api::CredentialStoreApi;
use keyring_core::mock::{Cred, Store};
use keyring_core::{Entry, Error};
use protocol::{NoteKey, Secret32};

fn enrolment(read: &[u8], uid: Option<u8>) -> Enrolment {
    Enrolment {
        city: "bahia".into(),
        terminal: TerminalId(7),
        place: "Plaza Mayor".into(),
        central: "http://127.0.0.1:1".into(),
        root_key: NoteKey::from_seed("bahia-root", &[1; 32]).unwrap().verifier(),
        access_token: Secret32::new([0xA1; 32]),
        epoch_keys: vec![],
        read_base_keys: read.iter().map(|byte| BaseKey::new([*byte; KEY])).collect(),
        uid_key: uid.map(|byte| BaseKey::new([byte; KEY])),
        central_key: None,
        recovery_key: None,
        authorities: Vec::new(),
        floor: protocol::FeedFloor::default(),
        codes: vec![1, 2],
    }
}

fn brought(read: &[u8], uid: Option<u8>) -> Option<CardKeySet> {
    CardKeySet::brought(&enrolment(read, uid))
}

fn entry(store: &Store) -> Entry {
    store.build("citizen-kiosk", "7 card keys", None).unwrap()
}

/// First bytes of the keys held, the key for real UIDs last.
fn held(keys: &CardKeySet) -> Vec<u8> {
    keys.read.iter().chain(&keys.uid).map(|key| key.expose()[0]).collect()
}

fn fails_next(entry: &Entry, error: Error) {
    entry.as_any().downcast_ref::<Cred>().unwrap().set_error(error);
}

#[test]
fn what_the_bundle_brings_at_the_first_start_is_there_at_the_next_without_it() {
    let store = Store::new().unwrap();
    for (read, uid, expected) in [(&[3, 2][..], Some(9), vec![3, 2, 9]), (&[4], None, vec![4])] {
        let first = settled(&entry(&store), brought(read, uid)).unwrap();
        let second = settled(&entry(&store), None).unwrap();
        assert_eq!((held(&first), held(&second)), (expected.clone(), expected));
    }
}

#[test]
fn a_bundle_that_brings_keys_again_is_the_newer_one() {
    let store = Store::new().unwrap();
    settled(&entry(&store), brought(&[2], Some(9))).unwrap();
    settled(&entry(&store), brought(&[3, 2], Some(9))).unwrap();
    assert_eq!(held(&settled(&entry(&store), None).unwrap()), [3, 2, 9]);
}

#[test]
fn without_bundle_and_without_store_there_are_no_keys() {
    let store = Store::new().unwrap();
    assert_eq!(settled(&entry(&store), None).map(|_| ()), Err(NONE_AT_ALL.to_owned()));
}

#[test]
fn a_locked_store_is_an_error_even_if_the_bundle_brings_keys() {
    let store = Store::new().unwrap();
    settled(&entry(&store), brought(&[2], Some(9))).unwrap();
    let locked = entry(&store);
    fails_next(&locked, Error::NoStorageAccess("locked".into()));
    assert!(settled(&locked, brought(&[3], Some(9))).is_err());
    assert_eq!(held(&settled(&entry(&store), None).unwrap()), [2, 9], "nothing was changed");
}

#[test]
fn what_is_no_card_key_is_not_taken_for_one() {
    let check = |secret: &[u8]| {
        let store = Store::new().unwrap();
        entry(&store).set_secret(secret).unwrap();
        assert!(settled(&entry(&store), None).is_err(), "{secret:02X?}");
    };
    let two = brought(&[2], Some(9)).unwrap().secret().unwrap();
    check(b"");
    check(b"short");
    check(&[FORMAT, 0, 0]);
    check(&two[..two.len() - 1]);
    check(&[&two[..], &[0]].concat());
    check(&[&[2], &two[1..]].concat());
    check(&[&[FORMAT, 1, 2], &two[HEADER..]].concat());
    check(&[&[FORMAT, 3, 1], &two[HEADER..]].concat());
}

#[test]
fn a_secret_in_an_errors_hands_is_not_told() {
    let store = Store::new().unwrap();
    let malformed = entry(&store);
    fails_next(&malformed, Error::BadEncoding(b"the secret".to_vec()));
    let error = settled(&malformed, None).map(|_| ()).unwrap_err();
    assert!(!error.contains("secret") && !error.contains("116"), "{error}");
}

fn config(kind: &str, bundle: &Path) -> Config {
    let text = format!(
        "enrolment = '{}'\ndata = 'd'\n[journal_key]\nkind = 'demonstration-file'\n{kind}\n\
         [payment]\naddress = '127.0.0.1:20007'\n[printer]\nuri = 'ipp://127.0.0.1/ipp/print'\n",
        bundle.display()
    );
    toml::from_str(&text).unwrap()
}

#[test]
fn the_configuration_says_where_the_keys_are() {
    let check = |kind, expected| assert_eq!(config(kind, Path::new("e")).card_keys, expected, "{kind}");
    check("", CardKeysConfig::BundleFile);
    check("[card_keys]\nkind = 'bundle-file'", CardKeysConfig::BundleFile);
    check("[card_keys]\nkind = 'secret-service'", CardKeysConfig::SecretService);
}

#[test]
fn keys_in_a_bundle_are_used_from_it_and_held_once() {
    let mut bundle = enrolment(&[3, 2], Some(9));
    let config = config("", Path::new("e"));
    assert!(check(&config, &bundle).is_ok());
    let keys = obtain(&config, &mut bundle).unwrap();
    assert_eq!(held(&keys), [3, 2, 9]);
    assert!(bundle.read_base_keys.is_empty() && bundle.uid_key.is_none(), "the enrolment holds no second copy");
}

#[test]
fn a_bundle_without_keys_is_a_mistake_only_where_they_should_be_in_it() {
    let mut bundle = enrolment(&[], None);
    let file = config("", Path::new("e"));
    assert!(matches!(check(&file, &bundle), Err(KioskError::Configuration { .. })));
    assert!(matches!(obtain(&file, &mut bundle), Err(KioskError::Configuration { .. })));
    assert!(check(&config("[card_keys]\nkind = 'secret-service'", Path::new("e")), &bundle).is_ok());
}

#[test]
fn a_settled_bundle_keeps_all_but_the_keys_and_its_rights() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("terminal.json");
    let mut bundle = enrolment(&[3, 2], Some(9));
    std::fs::write(&path, bundle.to_json().unwrap().as_bytes()).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o400)).unwrap();
    bundle.read_base_keys.clear();
    bundle.uid_key = None;
    empty_bundle(&path, &bundle);
    let text = std::fs::read_to_string(&path).unwrap();
    for key in ["0303030303", "0202020202", "0909090909"] {
        assert!(!text.contains(key), "{key}");
    }
    let back = Enrolment::from_json(&text).unwrap();
    assert_eq!((back.access_token.expose(), back.codes), (&[0xA1; 32], vec![1, 2]));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o400);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left beside it");
}

#[test]
fn a_bundle_behind_a_link_is_settled_where_it_lies() {
    let folder = tempfile::tempdir().unwrap();
    let (real, link) = (folder.path().join("real.json"), folder.path().join("terminal.json"));
    std::fs::write(&real, enrolment(&[3], Some(9)).to_json().unwrap().as_bytes()).unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    empty_bundle(&link, &enrolment(&[], None));
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(!std::fs::read_to_string(&real).unwrap().contains("0303030303"));
}

#[test]
fn a_bundle_that_cannot_be_written_stays_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("terminal.json");
    let bundle = enrolment(&[3], None);
    std::fs::write(&path, "as it was").unwrap();
    // In the way of the staged file, whoever the user is.
    std::fs::create_dir(folder.path().join("terminal.new")).unwrap();
    empty_bundle(&path, &bundle);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "as it was");
}

#[test]
fn keys_are_never_printed() {
    let shown = format!("{:?}", brought(&[0xAB], Some(0xCD)));
    assert!(!shown.contains("171") && !shown.contains("205"), "{shown}");
}
