//! The file itself: what a printer and an archive rely on.

use crate::samples::{CREATED, Spanish, claim_data, issuer, readiness_data, receipt_data, volante_data};
use documents::{Document, claim_slip, readiness, receipt, volante};
use domain::Timestamp;
use lopdf::{Dictionary, Object};

fn papers() -> Vec<Document> {
    let words = Spanish::new();
    vec![
        volante(&volante_data(), &words).unwrap(),
        receipt(&receipt_data(), &words).unwrap(),
        claim_slip(&claim_data(), &words).unwrap(),
        readiness(&issuer(), &readiness_data(), CREATED, &words).unwrap(),
    ]
}

fn tree(document: &Document) -> lopdf::Document {
    lopdf::Document::load_mem(&document.pdf).unwrap()
}

fn dictionaries<'a>(tree: &'a lopdf::Document, kind: &str) -> Vec<&'a Dictionary> {
    let all = tree.objects.values().filter_map(|object| object.as_dict().ok());
    all.filter(|dictionary| dictionary.get(b"Type").and_then(Object::as_name).ok() == Some(kind.as_bytes())).collect()
}

#[test]
fn every_paper_is_one_page_of_a4() {
    for document in papers() {
        let tree = tree(&document);
        assert_eq!((document.pages, tree.get_pages().len()), (1, 1));
        let page = dictionaries(&tree, "Page")[0];
        let media: Vec<f32> =
            page.get(b"MediaBox").unwrap().as_array().unwrap().iter().map(|side| side.as_float().unwrap()).collect();
        assert!((media[2] - 595.276).abs() < 0.01 && (media[3] - 841.89).abs() < 0.01, "{media:?}");
    }
}

#[test]
fn fonts_are_embedded_cut_to_the_used_glyphs_and_readable() {
    for document in papers() {
        let tree = tree(&document);
        let fonts = dictionaries(&tree, "Font");
        assert_eq!(fonts.len(), 2);
        for font in fonts {
            let name = String::from_utf8(font.get(b"BaseFont").unwrap().as_name().unwrap().to_vec()).unwrap();
            assert!(name.starts_with("CITYRG+NotoSans") || name.starts_with("CITYBD+NotoSans"), "{name}");
            assert!(font.has(b"ToUnicode"), "{name}");
        }
        for descriptor in dictionaries(&tree, "FontDescriptor") {
            let program = descriptor.get(b"FontFile2").unwrap().as_reference().unwrap();
            let size = tree.get_object(program).unwrap().as_stream().unwrap().content.len();
            assert!((2_000..40_000).contains(&size), "{size} bytes of font");
        }
        assert!(document.pdf.len() < 70_000, "{} bytes", document.pdf.len());
    }
}

#[test]
fn the_file_names_its_language_title_colours_and_moment() {
    let document = &papers()[0];
    let tree = tree(document);
    let catalog = tree.catalog().unwrap();
    assert_eq!(catalog.get(b"Lang").unwrap().as_str().unwrap(), b"es-ES");
    let preferences = catalog.get(b"ViewerPreferences").unwrap().as_dict().unwrap();
    assert!(preferences.get(b"DisplayDocTitle").unwrap().as_bool().unwrap());
    assert_eq!(catalog.get(b"OutputIntents").unwrap().as_array().unwrap().len(), 1);
    let info = tree.trailer.get(b"Info").unwrap().as_reference().unwrap();
    let info = tree.get_object(info).unwrap().as_dict().unwrap();
    let title = lopdf::decode_text_string(info.get(b"Title").unwrap()).unwrap();
    assert_eq!(title, "Volante de empadronamiento");
    assert_eq!(info.get(b"CreationDate").unwrap().as_str().unwrap(), b"D:20260910012105Z");
    let metadata = catalog.get(b"Metadata").unwrap().as_reference().unwrap();
    let metadata = &tree.get_object(metadata).unwrap().as_stream().unwrap().content;
    let metadata = String::from_utf8(metadata.clone()).unwrap();
    assert!(metadata.contains("<xmp:CreateDate>2026-09-10T01:21:05Z<"), "{metadata}");
}

#[test]
fn the_file_claims_no_standard_that_it_does_not_keep() {
    for document in papers() {
        let text = String::from_utf8_lossy(&document.pdf);
        for claim in ["PDFXVersion", "pdfaid", "pdfuaid", "/Marked"] {
            assert!(!text.contains(claim), "{claim}");
        }
    }
}

#[test]
fn equal_data_gives_equal_bytes_and_other_data_another_id() {
    assert_eq!(papers(), papers());
    let id = |document: &Document| tree(document).trailer.get(b"ID").unwrap().clone();
    let mut data = volante_data();
    data.created = Timestamp(CREATED.0 + 1000);
    let later = volante(&data, &Spanish::new()).unwrap();
    assert_ne!(id(&papers()[0]), id(&later));
    assert!(later.pdf.ends_with(b"%%EOF\n"));
}

#[test]
fn personal_data_stays_out_of_debug_output() {
    let shown = format!("{:?} {:?} {:?}", volante_data(), receipt_data(), papers()[0]);
    for secret in ["Begoña", "00000000T", "Atalaya", "1117", "32,35"] {
        assert!(!shown.contains(secret), "{secret}");
    }
}
