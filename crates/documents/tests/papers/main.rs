//! The papers as a printer, a reader and a telephone see them.

mod looks;
mod overflow;
mod samples;
mod structure;

#[test]
fn zz_dump() {
    let w = samples::Spanish::new();
    let mut v = samples::volante_data();
    let put = |n: &str, d: documents::Document| std::fs::write(format!("/tmp/w/doc/{n}.pdf"), d.pdf).unwrap();
    put("volante", documents::volante(&v, &w).unwrap());
    v.offline = true;
    put("volante-off", documents::volante(&v, &w).unwrap());
    put("receipt", documents::receipt(&samples::receipt_data(), &w).unwrap());
    put("claim", documents::claim_slip(&samples::claim_data(), &w).unwrap());
    v.name = overflow::LONG_NAME.to_owned();
    v.address = overflow::LONG_ADDRESS.to_owned();
    v.issuer.city = "Muy Noble y Leal Ciudad de la Bahía de los Náufragos y su Alfoz".to_owned();
    v.issuer.place = "Intercambiador de transportes de la avenida de la Constitución".to_owned();
    put("volante-long", documents::volante(&v, &w).unwrap());
    for i in 0..3 {
        let t = std::time::Instant::now();
        documents::volante(&samples::volante_data(), &w).unwrap();
        eprintln!("{i} {:?}", t.elapsed());
    }
}
