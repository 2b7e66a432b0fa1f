//! The papers as a printer, a reader and a telephone see them.

#[cfg(test)]
mod looks;
#[cfg(test)]
mod overflow;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod structure;
#[test]
fn zz_dump() {
    let w = samples::Spanish::new();
    let put = |n: &str, d: documents::Document| std::fs::write(format!("/tmp/w/doc/{n}.pdf"), d.pdf).unwrap();
    put("volante", documents::volante(&samples::volante_data(), &w).unwrap());
    put("claim", documents::claim_slip(&samples::claim_data(), &w).unwrap());
}
