use super::*;
use proptest::prelude::*;

fn secret(seed: u8) -> HpkeSecret {
    HpkeSecret::new([seed; 32])
}

fn parcel() -> Parcel {
    let epoch = |epoch, byte| EpochKey { epoch, key: Secret32::new([byte; 32]) };
    Parcel {
        epoch_keys: vec![epoch(9, 0xE9), epoch(8, 0xE8)],
        read_keys: vec![
            ReadKey { version: 1, key: BaseKey::new([0xA1; 16]) },
            ReadKey { version: 0, key: BaseKey::new([0xA0; 16]) },
        ],
        uid_key: Some(BaseKey::new([0xB0; 16])),
        codes: Some(vec![7; 300]),
        certificate: Some(Certificate { der: vec![0x30; 400], issued: Timestamp(5), expires: Timestamp(6) }),
    }
}

fn sealed_to(seed: u8, city: &str, terminal: u32) -> Vec<u8> {
    parcel().seal(&secret(seed).public().unwrap(), city, TerminalId(terminal), [seed ^ 0x55; 32]).unwrap()
}

fn sealed(seed: u8, terminal: u32) -> Vec<u8> {
    sealed_to(seed, "bahia", terminal)
}

fn shown(parcel: &Parcel) -> Vec<u8> {
    parcel.encode().unwrap().to_vec()
}

/// A file of terminals 3, 7 and 70,000, each with a key of its own.
fn file() -> Vec<u8> {
    let bodies = [(70_000, sealed(4, 70_000)), (3, sealed(1, 3)), (7, sealed(2, 7))];
    let parcels: Vec<_> = bodies.iter().map(|(terminal, body)| (TerminalId(*terminal), body.as_slice())).collect();
    encode_all(&parcels).unwrap()
}

#[test]
fn each_terminal_finds_and_opens_its_own_parcel() {
    let file = file();
    for (terminal, seed) in [(3, 1), (7, 2), (70_000, 4)] {
        let found = find(&file, TerminalId(terminal)).unwrap();
        let opened = Parcel::open(&secret(seed), "bahia", TerminalId(terminal), found).unwrap();
        assert_eq!(shown(&opened), shown(&parcel()));
    }
    let terminals: Vec<_> = Parcels::parse(&file).unwrap().terminals().map(|id| id.0).collect();
    assert_eq!(terminals, [3, 7, 70_000]);
}

#[test]
fn a_terminal_without_a_parcel_finds_nothing_and_opens_no_other() {
    let file = file();
    for terminal in [0, 4, 69_999, u32::MAX] {
        assert_eq!(find(&file, TerminalId(terminal)), None);
    }
    let others = find(&file, TerminalId(3)).unwrap();
    let open = |seed, city, terminal| Parcel::open(&secret(seed), city, TerminalId(terminal), others).map(|_| ());
    assert_eq!(open(1, "bahia", 3), Ok(()));
    assert_eq!(open(2, "bahia", 3), Err(ParcelError::DoesNotOpen), "another terminal's key");
    assert_eq!(open(1, "bahia", 7), Err(ParcelError::DoesNotOpen), "swapped under another number");
    assert_eq!(open(1, "puerto", 3), Err(ParcelError::DoesNotOpen), "another city");
}

#[test]
fn swapped_parcels_open_for_nobody() {
    let (third, seventh) = (sealed(1, 3), sealed(2, 7));
    let swapped = encode_all(&[(TerminalId(3), &seventh), (TerminalId(7), &third)]).unwrap();
    for (seed, terminal) in [(1, 3), (2, 7)] {
        let found = find(&swapped, TerminalId(terminal)).unwrap();
        let opened = Parcel::open(&secret(seed), "bahia", TerminalId(terminal), found);
        assert_eq!(opened.map(|_| ()), Err(ParcelError::DoesNotOpen));
    }
}

#[test]
fn a_cut_or_lengthened_file_is_none_at_every_byte() {
    let file = file();
    for at in 0..file.len() {
        assert!(Parcels::parse(&file[..at]).is_err(), "cut at {at}");
        assert_eq!(find(&file[..at], TerminalId(3)), None);
    }
    let longer = [file.as_slice(), &[0]].concat();
    assert_eq!(Parcels::parse(&longer), Err(ParcelError::File));
}

#[test]
fn a_changed_byte_of_a_parcel_does_not_open() {
    let good = sealed(1, 3);
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        assert_eq!(
            Parcel::open(&secret(1), "bahia", TerminalId(3), &bad).map(|_| ()),
            Err(ParcelError::DoesNotOpen),
            "byte {at}"
        );
    }
    for at in 0..good.len() {
        assert!(Parcel::open(&secret(1), "bahia", TerminalId(3), &good[..at]).is_err(), "cut at {at}");
    }
}

/// A file with this index, and bodies of this many bytes.
fn crafted(index: &[(u32, u32)], bodies: usize) -> Vec<u8> {
    let count = u32::try_from(index.len()).unwrap();
    let mut bytes = [&MAGIC[..], &[FILE_VERSION], &count.to_be_bytes()].concat();
    for (terminal, length) in index {
        bytes.extend(terminal.to_be_bytes());
        bytes.extend(length.to_be_bytes());
    }
    bytes.resize(bytes.len() + bodies, 0xEE);
    bytes
}

#[test]
fn an_index_that_does_not_rise_overlaps_or_goes_beyond_a_limit_is_refused() {
    let check = |index: &[(u32, u32)], bodies, expected| {
        assert_eq!(Parcels::parse(&crafted(index, bodies)).map(|_| ()), expected, "{index:?} {bodies}");
    };
    check(&[], 0, Ok(()));
    check(&[(1, 60), (2, 60)], 120, Ok(()));
    check(&[(2, 60), (1, 60)], 120, Err(ParcelError::File));
    check(&[(1, 60), (1, 60)], 120, Err(ParcelError::File));
    check(&[(1, 60), (2, 60)], 119, Err(ParcelError::File));
    check(&[(1, 60), (2, 60)], 121, Err(ParcelError::File));
    check(&[(1, 48)], 48, Err(ParcelError::File));
    check(&[(1, 65_537)], 65_537, Err(ParcelError::File));
    check(&[(1, u32::MAX)], 60, Err(ParcelError::File));
    let mut many = crafted(&[], 0);
    many[5..9].copy_from_slice(&65_537_u32.to_be_bytes());
    assert_eq!(Parcels::parse(&many), Err(ParcelError::TooLong));
    many[5..9].copy_from_slice(&u32::MAX.to_be_bytes());
    assert_eq!(Parcels::parse(&many), Err(ParcelError::TooLong));
    assert_eq!(Parcels::parse(&vec![0; PARCELS_BYTES_MAX + 1]), Err(ParcelError::TooLong));
    let twice = sealed(1, 3);
    assert_eq!(encode_all(&[(TerminalId(3), &twice), (TerminalId(3), &twice)]), Err(ParcelError::File));
}

#[test]
fn a_newer_version_is_told_apart_from_damage() {
    let mut newer = file();
    newer[4] = 2;
    assert_eq!(Parcels::parse(&newer), Err(ParcelError::UnknownVersion(2)));
    newer[0] = b'X';
    assert_eq!(Parcels::parse(&newer), Err(ParcelError::File));
    let plain = |bytes: &[u8]| {
        let bound = bound("bahia", TerminalId(3));
        let body = hpke::seal(&secret(1).public().unwrap(), INFO, &bound, bytes, [3; 32]).unwrap();
        Parcel::open(&secret(1), "bahia", TerminalId(3), &body).map(|_| ())
    };
    assert_eq!(plain(&parcel().encode().unwrap()), Ok(()));
    let mut later = parcel().encode().unwrap().to_vec();
    later[0] = 2;
    assert_eq!(plain(&later), Err(ParcelError::UnknownVersion(2)));
    assert_eq!(plain(&[]), Err(ParcelError::Malformed));
    assert_eq!(plain(&[PARCEL_VERSION]), Err(ParcelError::Malformed));
    assert_eq!(plain(&[PARCEL_VERSION, 0xA0]), Err(ParcelError::Malformed), "no epoch key");
}

/// What a newer central may add.
#[derive(Encode)]
#[cbor(map)]
struct Newer {
    #[n(0)]
    epochs: Vec<WireEpoch>,
    #[n(1)]
    read: Vec<WireReadKey>,
    #[n(9)]
    added: String,
}

#[test]
fn a_field_that_is_not_known_is_skipped() {
    let epochs = vec![WireEpoch { epoch: 4, key: [4; 32] }];
    let newer = Newer { epochs, read: Vec::new(), added: "a float of the day".into() };
    let mut plain = vec![PARCEL_VERSION];
    plain.extend(minicbor::to_vec(newer).unwrap());
    let read = Parcel::decode(&plain).unwrap();
    assert_eq!((read.epoch_keys[0].epoch, read.uid_key.is_none(), read.codes), (4, true, None));
}

#[test]
fn keys_out_of_order_or_of_one_version_are_not_sealed() {
    let mut twice = parcel();
    twice.read_keys[1].version = 1;
    let mut rising = parcel();
    rising.epoch_keys.reverse();
    let none = Parcel { epoch_keys: Vec::new(), ..parcel() };
    let long = Parcel { codes: Some(vec![0; PARCEL_BYTES_MAX]), ..parcel() };
    let to = secret(1).public().unwrap();
    let check = |parcel: &Parcel, expected| {
        assert_eq!(parcel.seal(&to, "bahia", TerminalId(3), [1; 32]), Err(expected));
    };
    check(&twice, ParcelError::Malformed);
    check(&rising, ParcelError::Malformed);
    check(&none, ParcelError::Malformed);
    check(&long, ParcelError::TooLong);
}

#[test]
fn a_parcel_never_shows_its_keys() {
    let shown = format!("{:?}", parcel());
    assert!(shown.contains("redacted"));
    for byte in ["233", "161", "176", "e9", "a1, a1", "E9"] {
        assert!(!shown.contains(&format!("{byte}, {byte}")), "{shown}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_a_whole_file_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = Parcels::parse(&bytes);
        let file = [&MAGIC[..], &[FILE_VERSION], &bytes].concat();
        if let Ok(parcels) = Parcels::parse(&file) {
            let sealed: Vec<_> = parcels.0.clone();
            prop_assert_eq!(encode_all(&sealed).unwrap(), file);
        }
    }
}
