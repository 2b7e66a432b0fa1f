//! Data to PDF bytes: the city's papers as a citizen takes them from the kiosk. This crate owns the layout, the
//! faces and their measuring, the city's emblem as drawing operations, the code and its QR, and a file whose bytes
//! depend on nothing but its data. It leaves the words to a `Words`, the formatting of dates and money to whoever
//! fills the data, the clock and the allotting of codes to the caller, and paper to `printing`.
//!
//! The files are plain PDF 1.7 with their language, title and colour space named. They are not tagged yet and
//! claim neither PDF/A nor PDF/UA.

mod block;
mod claim;
mod data;
mod emblem;
mod error;
mod face;
mod file;
mod letterhead;
mod profile;
mod qr;
mod readiness;
mod receipt;
mod sheet;
mod svg;
mod volante;
mod words;

pub use claim::claim_slip;
pub use data::{ClaimData, Issuer, PaymentLines, Purpose, ReceiptData, VolanteData};
pub use emblem::Emblem;
pub use error::DocumentError;
pub use readiness::readiness;
pub use receipt::receipt;
pub use svg::EmblemError;
pub use volante::volante;
pub use words::Words;

/// A finished paper. The bytes are personal: whoever holds them wipes them when the visit ends.
#[derive(Clone, PartialEq, Eq)]
pub struct Document {
    /// The file, ready for a printer that takes `application/pdf`.
    pub pdf: Vec<u8>,
    /// Sheets of A4, one-sided; what the printer must report as impressions.
    pub pages: u32,
}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Document({} bytes, {} pages)", self.pdf.len(), self.pages)
    }
}
