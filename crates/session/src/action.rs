//! What a citizen can do: the closed list of actions the screens send back.

use domain::service::Reason;
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
    /// Show the receipt of the top-up just made as a QR code.
    ShowReceipt,
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
    /// Open or close the choice of languages.
    ToggleLanguages,
    /// Open or close the choice of letters and contrast.
    ToggleLooks,
    /// Three times the time, or back.
    ToggleMoreTime,
    /// Few choices a screen, or back.
    ToggleSimple,
    /// The other choices of the home screen, in the simple view.
    More,
    /// What would be kept on the card, to be confirmed.
    RememberWishes,
    /// What would be erased from the card, to be confirmed.
    EraseWishes,
    /// Write on the card what was shown.
    WriteWishes,
    /// I am still here.
    Stay,
    /// The paper that is asked for was taken.
    PaperTaken,
    /// The PIN is forgotten: where to get a new one.
    ForgotPin,
    /// A technician's task; refused everywhere but in maintenance.
    Maintain {
        /// Which.
        task: Task,
    },
}

/// What a technician can do in maintenance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "task", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Task {
    /// Back to what can be done here.
    Menu,
    /// The rarer things.
    More,
    /// How each device is.
    State,
    /// Start the guided self-test.
    SelfTest,
    /// Test this part again.
    Repeat,
    /// On to the next part.
    Next,
    /// Whether the test's sound was heard.
    Heard {
        /// It was.
        heard: bool,
    },
    /// Print the readiness report of the self-test just made.
    PrintReport,
    /// Paper is being filled.
    Paper,
    /// Paper was filled, and the printer was searched for sheets.
    PaperChanged,
    /// Open claims, and what waits to be uploaded.
    Claims,
    /// Logs and outbox to a USB stick: what it is for.
    Export,
    /// Write them now.
    StartExport,
    /// The ruler for the screen's scale.
    Ruler,
    /// The bar is too long.
    Shorter,
    /// The bar is too short.
    Longer,
    /// Keep the scale.
    SaveScale,
    /// Why is it to be switched off?
    Reasons,
    /// Out of order from now on.
    SwitchOff {
        /// Why.
        #[ts(type = "\"repair\" | \"paper\" | \"reader\" | \"vandalism\" | \"other\"")]
        reason: Reason,
    },
    /// In service from now on.
    SwitchOn,
    /// Start the program again: is it meant?
    Restart,
    /// Start the program again now.
    ConfirmRestart,
}
