//! Why a paper could not be made.

use domain::FailureCode;

/// Why a paper could not be made. Nothing was printed and no code was used up.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// The bundled face cannot be read: the build is broken.
    #[error("a bundled face cannot be read")]
    Face,
    /// The bundled face lacks a character. An official paper never shows a box in place of a letter.
    #[error("the face has no glyph for U+{:04X}", u32::from(*.0))]
    Glyph(char),
    /// A text stays too long even at the smallest legible size; a fact is never cut.
    #[error("{0} does not fit on the paper")]
    TooLong(&'static str),
    /// The check address and the code are too long for a QR code.
    #[error("no QR code for this address: {0}")]
    Qr(qrcode::types::QrError),
    /// The moment of issue is beyond the calendar.
    #[error("the moment of issue is not a date")]
    Moment,
    /// The file could not be put together.
    #[error("the file could not be written: {0}")]
    File(#[from] std::io::Error),
    /// The tree of the file is not as expected.
    #[error("the file could not be completed: {0}")]
    Tree(#[from] lopdf::Error),
}

impl From<qrcode::types::QrError> for DocumentError {
    fn from(error: qrcode::types::QrError) -> Self {
        Self::Qr(error)
    }
}

impl From<&DocumentError> for FailureCode {
    fn from(_: &DocumentError) -> Self {
        Self::DocumentFailed
    }
}
