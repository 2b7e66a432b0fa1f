//! Documents the city gives on paper.

use serde::{Deserialize, Serialize};

/// The neutral code of a purse top-up on receipts: no product names a category of person.
pub const PRODUCT_TOP_UP: &str = "M01";

/// A kind of official paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DocumentKind {
    /// Volante de empadronamiento individual: informs where one person is registered.
    VolanteIndividual,
}

impl DocumentKind {
    /// The stable name in files, uploads and locale keys.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::VolanteIndividual => "volante-individual",
        }
    }
}
