//! The receipt as a QR code: its lines as plain text, so that any telephone keeps them without an address to visit. It
//! names the product by its code and nobody at all: no card of the city, no person, no price class.

use super::top_up::can_be_printed;
use super::words::{Words, private};
use crate::Session;
use crate::action::Action;
use crate::place::ToppedUp;
use crate::view::{Icon, QrSquare, Screen, Text, Tone};
use domain::Cents;
use domain::device::{CardEntry, PayerCheck, PaymentApproval};
use domain::document::PRODUCT_TOP_UP;
use ledger::{ClaimCode, TopUp};
use locale::Language;
use qrcode::{Color, EcLevel, QrCode};
use std::fmt::Write as _;

/// The quiet zone on each side, in modules (ISO/IEC 18004, 9.1).
const QUIET: usize = 4;

/// The receipt to be taken along, or nothing where there is none to be had.
pub(crate) fn screen(session: &Session, words: &Words, topped_up: &ToppedUp) -> Screen {
    let text = text(session, words, topped_up);
    let lines = text.lines().map(|line| private(line.to_owned())).collect();
    let paper = can_be_printed(session, topped_up.receipt)
        .then(|| words.button("on-paper", "topup-receipt-other", Tone::Plain, Action::Back).icon(Icon::Receipt));
    let home = words.button("home", "common-home", Tone::Primary, Action::Home).icon(Icon::Home);
    Screen::Receipt {
        heading: words.text("topup-receipt-code"),
        lead: words.text("topup-receipt-code-lead"),
        code: square(&text, words.text("topup-receipt-code-name")),
        lines,
        actions: [home].into_iter().chain(paper).collect(),
    }
}

/// The lines of the receipt, as they stand on paper but for what only paper needs.
fn text(session: &Session, words: &Words, topped_up: &ToppedUp) -> String {
    let language = words.language();
    let top_up = session.till.ledger.as_ref().and_then(|ledger| ledger.top_up(topped_up.top_up));
    let amount = top_up.map_or(Cents::ZERO, |top_up| top_up.subject().amount);
    let (brand, plate) = (&session.terminal.pack.brand, &session.terminal.plate);
    let rows = [
        ("paper-receipt-when", language.moment(topped_up.at)),
        ("paper-receipt-operation", ClaimCode::of(topped_up.top_up).to_string()),
        ("paper-receipt-product", PRODUCT_TOP_UP.to_owned()),
        ("paper-receipt-terminal", format!("{:02} · {}", plate.id.0, plate.place)),
        ("paper-receipt-tax-number", brand.tax_number.clone()),
        ("paper-receipt-before", words.money(topped_up.before)),
        ("paper-receipt-amount", words.money(amount)),
        ("paper-receipt-after", words.money(topped_up.after)),
    ];
    let payment = top_up.and_then(TopUp::approval).map(|approval| payment(approval, language));
    let heads = ["city-name", "paper-receipt-title", "paper-receipt-copy"].map(|key| language.text(key));
    let mut text = heads.join("\n");
    for (key, value) in rows.into_iter().chain(payment.into_iter().flatten()).filter(|(_, value)| !value.is_empty()) {
        let _ = write!(text, "\n{}: {value}", language.text(key));
    }
    let _ = write!(text, "\n{}", language.text("paper-receipt-no-invoice"));
    let _ = write!(text, "\n{}", language.text_with("common-call", &[("telephone", brand.telephone.as_str().into())]));
    text
}

/// What the card schemes want on a receipt, as it stands on paper.
fn payment(approval: &PaymentApproval, language: &Language) -> [(&'static str, String); 7] {
    let reference = &approval.reference;
    let card = format!("{} {}", approval.scheme, last_four(&approval.masked_pan));
    [
        ("paper-receipt-scheme", card.trim().to_owned()),
        ("paper-receipt-entry", reading(approval, language)),
        ("paper-receipt-application", approval.application.clone()),
        ("paper-receipt-authorisation", approval.authorisation.clone()),
        ("paper-receipt-payment-terminal", reference.terminal.clone()),
        ("paper-receipt-trace", format!("{:06}", reference.trace)),
        ("paper-receipt-number", format!("{:04}", reference.receipt)),
    ]
}

/// How the card was read and the payer verified; empty when neither was said.
fn reading(approval: &PaymentApproval, language: &Language) -> String {
    let entry = match approval.entry {
        CardEntry::Unsaid => None,
        CardEntry::Stripe => Some("paper-receipt-entry-stripe"),
        CardEntry::Chip => Some("paper-receipt-entry-chip"),
        CardEntry::Contactless => Some("paper-receipt-entry-contactless"),
    };
    let check = match approval.check {
        PayerCheck::Unsaid => None,
        PayerCheck::Nothing => Some("paper-receipt-check-nothing"),
        PayerCheck::Signature => Some("paper-receipt-check-signature"),
        PayerCheck::Pin => Some("paper-receipt-check-pin"),
    };
    let said: Vec<String> = entry.into_iter().chain(check).map(|key| language.text(key)).collect();
    said.join(" · ")
}

/// However much of the bank card's number the payment terminal shows, a customer's copy shows its last four digits.
fn last_four(masked: &str) -> String {
    let shown: Vec<char> = masked.chars().filter(|character| !character.is_whitespace()).collect();
    match shown.get(shown.len().saturating_sub(4)..) {
        Some(last @ [_, ..]) => format!("**** {}", last.iter().collect::<String>()),
        _ => String::new(),
    }
}

/// At level L: a screen is neither torn nor stained. A text beyond what a QR code holds (2,953 bytes) leaves it empty.
fn square(text: &str, name: Text) -> QrSquare {
    let Ok(code) = QrCode::with_error_correction_level(text, EcLevel::L) else {
        return QrSquare { side: 0, path: String::new(), name, private: true };
    };
    let width = code.width();
    let dark: Vec<bool> = code.into_colors().into_iter().map(|colour| colour == Color::Dark).collect();
    let mut path = String::new();
    for (row, modules) in dark.chunks(width.max(1)).enumerate() {
        let mut column = 0;
        for run in modules.chunk_by(|left, right| left == right) {
            if run.first() == Some(&true) {
                let length = run.len();
                let _ = write!(path, "M{} {}h{length}v1h-{length}z", column + QUIET, row + QUIET);
            }
            column += run.len();
        }
    }
    QrSquare { side: u16::try_from(width + 2 * QUIET).unwrap_or(0), path, name, private: true }
}

#[cfg(test)]
mod tests {
    use super::super::words::plain;
    use super::*;

    /// Paints the path, as a browser would.
    fn painted(square: &QrSquare) -> Vec<bool> {
        let side = usize::from(square.side);
        let mut modules = vec![false; side * side];
        for run in square.path.split('M').filter(|run| !run.is_empty()) {
            let (place, rest) = run.split_once('h').unwrap();
            let (column, row) = place.split_once(' ').unwrap();
            let length: usize = rest.split_once('v').unwrap().0.parse().unwrap();
            let (column, row): (usize, usize) = (column.parse().unwrap(), row.parse().unwrap());
            modules[row * side + column..row * side + column + length].fill(true);
        }
        modules
    }

    #[test]
    fn the_path_paints_the_codes_modules_inside_a_quiet_zone_of_four() {
        let text = "Bahía\nRecarga: 20,00\u{a0}€";
        let square = square(text, plain("Código QR".into()));
        let code = QrCode::with_error_correction_level(text, EcLevel::L).unwrap();
        let (side, width) = (usize::from(square.side), code.width());
        assert_eq!(side, width + 8);
        let painted = painted(&square);
        for row in 0..side {
            for column in 0..side {
                let inside = (4..4 + width).contains(&row) && (4..4 + width).contains(&column);
                let expected = inside && code[(column - 4, row - 4)] == Color::Dark;
                assert_eq!(painted[row * side + column], expected, "{row}/{column}");
            }
        }
    }

    #[test]
    fn however_much_a_terminal_shows_the_last_four_digits_remain() {
        for (masked, shown) in
            [("************1117", "**** 1117"), ("4548 81** **** 1117", "**** 1117"), ("4548812049401117", "**** 1117")]
        {
            assert_eq!(last_four(masked), shown);
        }
        assert_eq!(last_four(" "), "");
    }

    #[test]
    fn a_text_that_no_code_holds_leaves_the_square_empty() {
        assert_eq!(square(&"x".repeat(3_000), plain(String::new())).side, 0);
    }
}
