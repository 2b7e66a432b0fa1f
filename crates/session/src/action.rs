//! What a citizen can do: the closed list of actions the screens send back.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// One touch. Every button of a [`crate::view::View`] carries the action it sends, so the screens know no rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "do", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Action {
    /// Speak this language from now on (BCP 47 tag).
    SelectLanguage {
        /// The tag.
        lang: String,
    },
    /// End the visit.
    Finish,
    /// One step back.
    Back,
    /// To the home screen.
    Home,
    /// Start a top-up.
    TopUp,
    /// Mark an amount.
    ChooseAmount {
        /// Euro cents.
        #[ts(type = "number")]
        cents: i64,
    },
    /// Pay the marked amount.
    Pay,
    /// Give up before the bank card was taken.
    CancelPayment,
    /// Print the receipt of the top-up just made.
    PrintReceipt,
    /// Show the documents.
    Documents,
    /// Mark a document.
    ChooseDocument {
        /// Its stable name.
        document: String,
    },
    /// Print the marked document.
    PrintDocument,
    /// One digit of the PIN; it goes to the vault and never to the session.
    PinDigit {
        /// 0 to 9.
        digit: u8,
    },
    /// Take the last digit back.
    PinErase,
    /// The PIN is complete.
    PinConfirm,
    /// Show the services.
    Services,
    /// Show the movements on the card.
    Movements,
    /// Show the next page of a list.
    NextPage,
    /// Print the slip of an open claim.
    PrintClaim,
    /// Larger letters, or back.
    ToggleLetters,
    /// High contrast, or back.
    ToggleContrast,
    /// Cover what is private, or uncover it.
    ToggleCover,
    /// Open or close the help of this screen.
    ToggleHelp,
    /// I am still here.
    Stay,
}
