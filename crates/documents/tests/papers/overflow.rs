//! Long names, addresses and cities wrap or shrink; what cannot fit is refused, never cut or set over another.

use crate::looks::pixels_of;
use crate::samples::{CREATED, Spanish, claim_data, issuer, readiness_data, receipt_data, volante_data};
use documents::{Document, DocumentError, claim_slip, readiness, receipt, volante};

const LONG_NAME: &str = "María de la Encarnación Inmaculada Concepción Fernández-Villaverde y Suárez-Inclán \
                         de la Rúa Menéndez de Bango Álvarez-Buylla";
const LONG_ADDRESS: &str = "Urbanización Residencial Nuestra Señora de la Providencia y San Lorenzo del Puerto, \
                            Camino Viejo de la Ermita a la Playa de los Náufragos, bloque 12, portal 3, escalera izquierda, 11.º D";

/// No ink within `margin_mm` of the left and right edges.
fn keeps_margins(document: &Document) {
    let (width, _, pixels) = pixels_of(document, 60);
    let margin = 20 * width / 210;
    for (index, pixel) in pixels.iter().enumerate() {
        let x = index % width;
        assert!((margin..width - margin).contains(&x) || *pixel > 250, "ink in the margin, row {}", index / width);
    }
}

#[test]
fn a_very_long_name_and_address_stay_whole_and_inside() {
    let mut data = volante_data();
    data.offline = true;
    LONG_NAME.clone_into(&mut data.name);
    LONG_ADDRESS.clone_into(&mut data.address);
    data.issuer.city = "Muy Noble y Leal Ciudad de la Bahía de los Náufragos y su Alfoz".to_owned();
    data.issuer.place = "Intercambiador de transportes de la avenida de la Constitución".to_owned();
    keeps_margins(&volante(&data, &Spanish::new()).unwrap());
}

#[test]
fn an_absurd_fact_is_refused_rather_than_cut() {
    let mut data = volante_data();
    data.name = LONG_NAME.repeat(6);
    let found = volante(&data, &Spanish::new());
    assert!(matches!(found, Err(DocumentError::TooLong("the name"))), "{found:?}");
    let mut data = volante_data();
    data.name = "Ana 名".to_owned();
    let found = volante(&data, &Spanish::new());
    assert!(matches!(found, Err(DocumentError::Glyph('名'))), "{found:?}");
}

#[test]
fn receipts_and_slips_keep_their_margins_with_large_figures() {
    let mut data = receipt_data();
    data.before = "1.234.567,89\u{a0}€".to_owned();
    data.after = "9.234.567,89\u{a0}€".to_owned();
    data.payment.notes.push("Conserve esta copia. Operación realizada con autenticación del titular.".to_owned());
    keeps_margins(&receipt(&data, &Spanish::new()).unwrap());
    let mut data = claim_data();
    data.issuer.telephone = "+34 985 000 000 (extensión 1234)".to_owned();
    keeps_margins(&claim_slip(&data, &Spanish::new()).unwrap());
}

#[test]
fn a_receipt_that_would_cross_the_fold_is_refused() {
    let mut data = receipt_data();
    data.payment.notes = vec!["Línea exigida por la entidad adquirente".to_owned(); 30];
    let found = receipt(&data, &Spanish::new());
    assert!(matches!(found, Err(DocumentError::TooLong("the receipt"))), "{found:?}");
}

#[test]
fn a_readiness_report_keeps_its_margins_with_long_findings_and_is_refused_beyond_its_sheet() {
    let mut data = readiness_data();
    for row in &mut data.rows {
        row.note = row.note.repeat(3);
    }
    keeps_margins(&readiness(&issuer(), &data, CREATED, &Spanish::new()).unwrap());
    data.rows = (0..4).flat_map(|_| data.rows.clone()).collect();
    let found = readiness(&issuer(), &data, CREATED, &Spanish::new());
    assert!(matches!(found, Err(DocumentError::TooLong("the readiness report"))), "{found:?}");
}
