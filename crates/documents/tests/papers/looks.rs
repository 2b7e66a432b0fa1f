//! What a reader's and a telephone's eyes find on the page, through poppler's renderer.

use crate::samples::{CODE, CREATED, Spanish, claim_data, issuer, readiness_data, receipt_data, volante_data};
use documents::{Document, Purpose, claim_slip, readiness, receipt, volante};
use domain::device::{CardEntry, PayerCheck};
use std::process::Command;

/// The page's text in reading order, with single spaces.
pub(crate) fn text_of(document: &Document) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("paper.pdf");
    std::fs::write(&file, &document.pdf).unwrap();
    let output = Command::new("pdftotext").arg("-layout").arg(&file).arg("-").output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A greyscale rendering: width, height and one byte a pixel.
pub(crate) fn pixels_of(document: &Document, dpi: u32) -> (usize, usize, Vec<u8>) {
    render(document, dpi, "-gray", "pgm")
}

/// A rendering in colour: width, height and three bytes a pixel.
fn colours_of(document: &Document, dpi: u32) -> (usize, usize, Vec<u8>) {
    render(document, dpi, "-q", "ppm")
}

fn render(document: &Document, dpi: u32, mode: &str, extension: &str) -> (usize, usize, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("paper.pdf");
    std::fs::write(&file, &document.pdf).unwrap();
    let root = folder.path().join("page");
    let status = Command::new("pdftoppm")
        .args([mode, "-singlefile", "-r", &dpi.to_string()])
        .args([&file, &root])
        .status()
        .unwrap();
    assert!(status.success());
    parse_netpbm(&std::fs::read(root.with_extension(extension)).unwrap())
}

fn parse_netpbm(bytes: &[u8]) -> (usize, usize, Vec<u8>) {
    let mut header = Vec::new();
    let mut at = 0;
    while header.len() < 4 {
        let end = at + bytes[at..].iter().position(u8::is_ascii_whitespace).unwrap();
        header.push(std::str::from_utf8(&bytes[at..end]).unwrap().to_owned());
        at = end + 1;
    }
    assert_eq!(header[3], "255");
    (header[1].parse().unwrap(), header[2].parse().unwrap(), bytes[at..].to_vec())
}

fn check_text(document: &Document, expected: &[&str]) {
    let text = text_of(document);
    for part in expected {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
}

#[test]
fn a_volante_shows_every_fact_and_reads_back_letter_by_letter() {
    let document = volante(&volante_data(), &Spanish::new()).unwrap();
    let code = CODE.to_print();
    check_text(
        &document,
        &[
            "Ciudad de la Bahía",
            "Volante de empadronamiento",
            "Begoña Ḷḷanes del Puertu Riaño",
            "00000000T",
            "3 de mayo de 1957",
            "Calle de la Atalaya, 14, 3.º B · 33999 Ciudad de la Bahía",
            "Distrito 02 · Sección 014",
            "19 de octubre de 1988",
            &code,
            "https://bahia.example/csv/",
            "no es un certificado de empadronamiento",
            "Ley 40/2015",
            "985 000 000",
        ],
    );
    assert!(!text_of(&document).contains("OFFLINE"));
}

#[test]
fn a_volante_has_no_row_for_what_a_person_does_not_have() {
    let mut data = volante_data();
    data.identity_number.clear();
    data.locality.clear();
    let text = text_of(&volante(&data, &Spanish::new()).unwrap());
    assert!(!text.contains("Documento de identidad"));
    assert!(text.contains("Calle de la Atalaya, 14, 3.º B Distrito y sección"), "{text}");
}

#[test]
fn a_volante_without_connection_says_so_and_from_when_its_data_is() {
    let mut data = volante_data();
    data.offline = true;
    let document = volante(&data, &Spanish::new()).unwrap();
    check_text(&document, &["OFFLINE", "con los datos del 9 de septiembre de 2026"]);
}

#[test]
fn a_receipt_shows_the_sum_and_the_payment_and_no_category_of_person() {
    let document = receipt(&receipt_data(), &Spanish::new()).unwrap();
    check_text(
        &document,
        &["12,35 €", "20,00 €", "32,35 €", "4821", "1117", "529713", "000318", "0117", "65000042", "P3300000X", "M01"],
    );
    check_text(
        &document,
        &["COPIA PARA EL CLIENTE", "A0000000031010", "Sin contacto · PIN verificado", "no es una factura"],
    );
    let text = text_of(&document).to_lowercase();
    for word in ["tarifa", "jubilad", "desemple", "infantil", "bono", "reducid", "mayor"] {
        assert!(!text.contains(word), "{word} on a receipt");
    }
}

#[test]
fn a_receipt_says_how_the_card_was_read_and_leaves_out_what_the_terminal_did_not_say() {
    let check = |entry, check, said: &str| {
        let mut data = receipt_data();
        (data.payment.entry, data.payment.check) = (entry, check);
        check_text(&receipt(&data, &Spanish::new()).unwrap(), &[said]);
    };
    check(CardEntry::Contactless, PayerCheck::Nothing, "Sin contacto · sin PIN");
    check(CardEntry::Chip, PayerCheck::Pin, "Chip · PIN verificado");
    check(CardEntry::Stripe, PayerCheck::Signature, "Banda magnética · firma");
    check(CardEntry::Chip, PayerCheck::Unsaid, "Lectura Chip");
    let mut data = receipt_data();
    (data.payment.entry, data.payment.check) = (CardEntry::Unsaid, PayerCheck::Unsaid);
    data.payment.application = String::new();
    let text = text_of(&receipt(&data, &Spanish::new()).unwrap());
    for absent in ["Lectura", "AID"] {
        assert!(!text.contains(absent), "{absent} in {text}");
    }
}

#[test]
fn the_receipt_of_an_undone_payment_says_that_nothing_was_charged() {
    let mut data = receipt_data();
    data.purpose = Purpose::Voided;
    let document = receipt(&data, &Spanish::new()).unwrap();
    check_text(&document, &["Anulación del pago", "20,00 €", "No se le ha cobrado nada", "529713", "0117"]);
    let text = text_of(&document);
    for absent in ["12,35", "32,35", "Importe cobrado", "se leyó de la tarjeta"] {
        assert!(!text.contains(absent), "{absent} in {text}");
    }
}

#[test]
fn a_claim_slip_shows_code_amount_steps_and_telephone() {
    let document = claim_slip(&claim_data(), &Spanish::new()).unwrap();
    check_text(&document, &["K7M-4QX-92", "20,00 €", "985 000 000", "Su dinero está a salvo", "7F3A-19C2", "0117"]);
    let mut data = claim_data();
    data.payment_receipt = None;
    let document = claim_slip(&data, &Spanish::new()).unwrap();
    assert!(!text_of(&document).contains("Recibo del pago"));
}

#[test]
fn a_claim_slip_asks_for_no_operation_that_is_called_as_the_claim_is() {
    let mut data = claim_data();
    check_text(&claim_slip(&data, &Spanish::new()).unwrap(), &["Operación"]);
    data.top_up.clone_from(&data.claim_code);
    let text = text_of(&claim_slip(&data, &Spanish::new()).unwrap());
    assert!(!text.contains("Operación") && text.matches(&data.claim_code).count() == 1, "{text}");
}

#[test]
fn a_claim_slip_is_true_of_every_claim_whether_the_payment_or_the_credit_is_in_doubt() {
    let text = text_of(&claim_slip(&claim_data(), &Spanish::new()).unwrap());
    assert!(text.contains("Queda por aclarar el cobro, el saldo o las dos cosas."), "{text}");
    assert!(!text.contains("Todavía no sabemos"), "a payment that was made is known to be made: {text}");
}

#[test]
fn a_readiness_report_shows_every_part_with_its_verdict_and_a_line_to_sign() {
    let data = readiness_data();
    let document = readiness(&issuer(), &data, CREATED, &Spanish::new()).unwrap();
    check_text(&document, &["Ciudad de la Bahía", "Informe de estado", "Terminal 07 · Plaza de la Pescadería"]);
    check_text(&document, &["Parte Resultado Detalle", "Programa 0.1.0", &data.verdict, &data.signature]);
    let text = text_of(&document);
    for row in &data.rows {
        for word in [&row.label, &row.verdict, &row.note].into_iter().flat_map(|text| text.split(' ')) {
            assert!(text.contains(word), "{}: {word}", row.label);
        }
    }
}

#[test]
fn the_emblem_stands_at_the_head_in_its_own_colours() {
    const ROOF: [u8; 3] = [0xc8, 0x37, 0x1f];
    const SUN: [u8; 3] = [0xff, 0xc9, 0x4d];
    const SEA: [u8; 3] = [0x0f, 0x4f, 0x6e];
    let document = volante(&volante_data(), &Spanish::new()).unwrap();
    let (width, _, bytes) = colours_of(&document, 150);
    for colour in [ROOF, SUN, SEA] {
        let places = bytes.chunks_exact(3).enumerate().filter(|(_, pixel)| *pixel == colour);
        let in_emblem = places.filter(|(index, _)| index % width < width / 4 && index / width < width / 4);
        assert!(in_emblem.count() > 50, "{colour:?}");
    }
}

#[test]
fn a_telephone_reads_the_address_with_the_code_from_the_rendered_page() {
    let document = volante(&volante_data(), &Spanish::new()).unwrap();
    let (width, height, pixels) = pixels_of(&document, 150);
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| pixels[y * width + x]);
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1, "one QR code on the page");
    let (meta, content) = grids[0].decode().unwrap();
    assert_eq!(content, format!("https://bahia.example/csv/{}", CODE.to_print().replace('-', "")));
    assert_eq!(meta.ecc_level, 0, "level M, as ISO/IEC 18004 numbers it");
}
