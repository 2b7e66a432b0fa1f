use super::*;

const TOKEN: [u8; 32] = [0xA1; 32];
const MADE: Timestamp = Timestamp(1_795_000_000_000);

fn central(byte: u8) -> HpkeSecret {
    HpkeSecret::new([byte; 32])
}

fn epoch(byte: u8) -> Secret32 {
    Secret32::new([byte; 32])
}

/// A header of each form, with its secret.
fn headers() -> [(ExportHeader, Secret32); 3] {
    let to_epoch = (ExportHeader::to_epoch(TerminalId(7), MADE, 3, [9; SALT]), epoch(1));
    let public = central(1).public().unwrap();
    let to_central = ExportHeader::to_central(TerminalId(7), MADE, &public, [5; 32]).unwrap();
    let signed = (to_central.0.signed(), to_central.1.clone());
    [to_epoch, to_central, signed]
}

fn export((header, secret): &(ExportHeader, Secret32), uploads: &[&[u8]]) -> Vec<u8> {
    let mut sealer = ExportSealer::new(header, secret, &TOKEN).unwrap();
    let mut file = header.encode();
    for upload in uploads {
        file.extend(sealer.seal(upload).unwrap());
    }
    file.extend(sealer.finish().unwrap());
    file
}

type Uploads = Vec<Vec<u8>>;

/// All uploads, or those before the first mistake and the mistake. `key` is the epoch's or central's.
fn open(file: &[u8], key: u8, token: &[u8; 32]) -> Result<Uploads, (Uploads, ExportError)> {
    let none = |error| (Vec::new(), error);
    let (header, frames) = ExportHeader::decode(file).map_err(none)?;
    let secret = match header.form {
        ExportForm::Epoch { .. } => epoch(key),
        ExportForm::Central { .. } | ExportForm::Signed { .. } => {
            header.secret_of_central(&central(key)).map_err(none)?
        }
    };
    let mut uploads = Vec::new();
    for upload in ExportReader::new(&header, frames, &secret, token).unwrap() {
        match upload {
            Ok(upload) => uploads.push(upload),
            Err(error) => return Err((uploads, error)),
        }
    }
    Ok(uploads)
}

#[test]
fn an_export_opens_for_central_and_shows_nothing_to_a_finder() {
    let (one, two): (&[u8], &[u8]) = (b"an upload with a street in it", b"another");
    for header in headers() {
        let file = export(&header, &[one, two]);
        assert_eq!(open(&file, 1, &TOKEN).unwrap(), [one.to_vec(), two.to_vec()]);
        assert!(!file.windows(6).any(|window| window == b"street"));
        let (read, _) = ExportHeader::decode(&file).unwrap();
        assert_eq!(read, header.0);
        assert_eq!(open(&export(&header, &[]), 1, &TOKEN).unwrap(), Vec::<Vec<u8>>::new());
    }
}

#[test]
fn another_token_or_key_opens_nothing() {
    for header in headers() {
        let file = export(&header, &[b"one"]);
        assert_eq!(open(&file, 1, &[0xA2; 32]), Err((vec![], ExportError::Sealed)));
        assert_eq!(open(&file, 2, &TOKEN), Err((vec![], ExportError::Sealed)));
    }
}

#[test]
fn whoever_knows_only_the_public_key_cannot_write_for_a_terminal() {
    let [_, header, _] = headers();
    let mut sealer = ExportSealer::new(&header.0, &header.1, &[0; 32]).unwrap();
    let file = [header.0.encode(), sealer.seal(b"forged").unwrap(), sealer.finish().unwrap()].concat();
    assert_eq!(open(&file, 1, &TOKEN), Err((vec![], ExportError::Sealed)));
}

#[test]
fn a_changed_byte_is_refused_wherever_it_is() {
    for header in headers() {
        let file = export(&header, &[b"one", b"two"]);
        for at in 0..file.len() {
            let mut bad = file.clone();
            bad[at] ^= 1;
            assert!(open(&bad, 1, &TOKEN).is_err(), "byte {at}");
        }
    }
}

#[test]
fn a_file_that_was_cut_off_says_so_and_gives_what_it_has() {
    for header in headers() {
        let file = export(&header, &[b"one", b"two"]);
        let length = header.0.encode().len();
        let first = length + 4 + 3 + 16;
        for end in length..file.len() {
            let (uploads, error) = open(&file[..end], 1, &TOKEN).unwrap_err();
            assert_eq!(error, ExportError::CutOff, "cut at {end}");
            assert_eq!(uploads.first().map(Vec::as_slice), (end >= first).then_some(&b"one"[..]), "cut at {end}");
        }
        for end in 0..length {
            assert_eq!(open(&file[..end], 1, &TOKEN).unwrap_err().1, ExportError::Malformed);
        }
    }
}

#[test]
fn frames_cannot_be_left_out_swapped_or_appended() {
    for header in headers() {
        let file = export(&header, &[b"one", b"two"]);
        let (head, rest) = file.split_at(header.0.encode().len());
        let (first, rest) = rest.split_at(4 + 3 + 16);
        let (second, last) = rest.split_at(4 + 3 + 16);
        for parts in [[head, second, first, last], [head, second, last, &[]], [head, first, last, &[]]] {
            assert_eq!(open(&parts.concat(), 1, &TOKEN).unwrap_err().1, ExportError::Sealed);
        }
        let longer = [&file, &b"x"[..]].concat();
        assert_eq!(open(&longer, 1, &TOKEN).unwrap_err().1, ExportError::Malformed);
    }
}

#[test]
fn a_newer_version_is_named_and_other_files_are_refused() {
    let mut file = export(&headers()[0], &[]);
    file[MAGIC.len()] = 4;
    assert_eq!(open(&file, 1, &TOKEN).unwrap_err().1, ExportError::UnknownVersion(4));
    assert_eq!(open(b"%PDF-1.7", 1, &TOKEN).unwrap_err().1, ExportError::Malformed);
}

#[test]
fn a_signed_upload_comes_out_of_its_frame_and_less_than_a_signature_is_none() {
    let one = SignedUpload { bytes: b"an upload".to_vec(), signature: [7; SIGNATURE_BYTES] };
    let (header, secret) = &headers()[2];
    let mut sealer = ExportSealer::new(header, secret, &TOKEN).unwrap();
    let file = [header.encode(), sealer.seal_signed(&one).unwrap(), sealer.finish().unwrap()].concat();
    let frames = open(&file, 1, &TOKEN).unwrap();
    assert_eq!(frames.iter().map(|frame| read_signed(frame)).collect::<Vec<_>>(), [Ok(one)]);
    assert_eq!(read_signed(&[0; SIGNATURE_BYTES - 1]), Err(ExportError::Malformed));
}
