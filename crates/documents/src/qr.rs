//! QR codes (ISO/IEC 18004) as rows of dark runs, for drawing as one shape.

use crate::DocumentError;
use qrcode::{Color, EcLevel, QrCode};

/// The quiet zone on each side, in modules (ISO/IEC 18004, 9.1).
pub(crate) const QUIET_MODULES: usize = 4;

/// A QR code's dark modules.
pub(crate) struct QrModules {
    /// Modules on a side, without the quiet zone.
    pub(crate) side: usize,
    dark: Vec<bool>,
}

/// Neighbouring dark modules of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) row: usize,
    pub(crate) column: usize,
    pub(crate) length: usize,
}

impl QrModules {
    /// Encodes at level M, which survives 15 % of damage.
    ///
    /// # Errors
    /// `Qr` when the content is too long.
    pub(crate) fn encode(content: &str) -> Result<Self, DocumentError> {
        let code = QrCode::with_error_correction_level(content, EcLevel::M)?;
        let dark = code.to_colors().into_iter().map(|colour| colour == Color::Dark).collect();
        Ok(Self { side: code.width(), dark })
    }

    /// The dark runs, row by row.
    pub(crate) fn runs(&self) -> Vec<Run> {
        let rows = self.dark.chunks(self.side).enumerate();
        rows.flat_map(|(row, modules)| runs_of_row(row, modules)).collect()
    }
}

fn runs_of_row(row: usize, modules: &[bool]) -> Vec<Run> {
    let mut column = 0;
    let groups = modules.chunk_by(|a, b| a == b);
    let placed = groups.map(|group| {
        let run = Run { row, column, length: group.len() };
        column += group.len();
        (group.first() == Some(&true), run)
    });
    placed.filter(|(dark, _)| *dark).map(|(_, run)| run).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_cover_exactly_the_dark_modules() {
        let modules = QrModules::encode("https://bahia.example/v/ABCD").unwrap();
        let mut painted = vec![false; modules.side * modules.side];
        for run in modules.runs() {
            for column in run.column..run.column + run.length {
                let index = run.row * modules.side + column;
                assert!(!painted[index], "painted twice");
                painted[index] = true;
            }
        }
        assert_eq!(painted, modules.dark);
    }

    #[test]
    fn an_address_with_its_code_stays_coarse_enough_for_a_telephone() {
        let modules = QrModules::encode("https://sede.bahia.example/v/ABCDEFGHIJKLMNOPQRSTUVWXYZ").unwrap();
        assert!(modules.side <= 33, "{} modules: finer than 0.97 mm on 32 mm", modules.side);
    }
}
