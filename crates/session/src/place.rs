//! Where in the errands a session is: one value, from which the screen follows.

use domain::card::Wishes;
use domain::device::Cue;
use domain::document::DocumentKind;
use domain::service::{Export, ExportError, Finding, Part, ServiceRequest};
use domain::{Cents, FailureCode, Handle, PrintName, Timestamp, TopUpId};
use std::collections::BTreeMap;

/// Where the session is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// Nobody is here.
    Attract,
    /// A card was laid down and is being read.
    Reading,
    /// What the card holds, and what one can do.
    Home,
    /// The other choices of the home screen, in the simple view.
    More,
    /// The services, from this page.
    Services(usize),
    /// The movements on the card, from this page.
    Movements(usize),
    /// How much?
    Amount {
        /// The marked amount.
        chosen: Cents,
        /// Why it cannot be paid as it is.
        problem: Option<FailureCode>,
    },
    /// The credit key is being proven, before anything is paid.
    Proving(Cents),
    /// A top-up is on its way; its screen follows from the ledger.
    ToppingUp(TopUpId),
    /// It is done.
    ToppedUp(ToppedUp),
    /// Its receipt is on the screen, to be taken along with a telephone.
    ReceiptCode(ToppedUp),
    /// Which document?
    Documents,
    /// The PIN, and what it is for.
    Pin {
        /// What for.
        purpose: PinPurpose,
        /// Digits in the vault.
        entered: u8,
        /// Waiting for card or vault.
        checking: bool,
        /// What was wrong with the try before.
        problem: Option<FailureCode>,
    },
    /// The PIN is forgotten: where to get a new one, and back to what it was wanted for.
    ForgotPin(PinPurpose),
    /// The document's values, before it is printed.
    Document(DocumentKind),
    /// A paper is being prepared or printed.
    Printing(Printing),
    /// The document is out.
    Printed {
        /// Which.
        document: DocumentKind,
        /// Its verification code, as printed.
        code: Option<String>,
    },
    /// Wishes to be kept on the card, or erased from it.
    Wishes(WishErrand),
    /// Something went wrong, and the errand is over.
    Trouble {
        /// What.
        code: FailureCode,
        /// The amount in question.
        amount: Option<Cents>,
    },
    /// A technician is at work.
    Maintenance(Maintenance),
    /// Good day; and take the card.
    Farewell,
}

/// What a PIN is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PinPurpose {
    /// A document of the holder's.
    Document(DocumentKind),
    /// The maintenance of this terminal.
    Maintenance,
}

/// Where in maintenance a technician is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Maintenance {
    /// What can be done here.
    Menu,
    /// The rarer things.
    More,
    /// How each device is, from this page.
    State(usize),
    /// The guided self-test.
    Testing(SelfTest),
    /// Paper is being filled: look for sheets first.
    Paper,
    /// Open claims and what waits to be uploaded, from this page.
    Claims(usize),
    /// What goes to a USB stick.
    Export,
    /// It is being written.
    Exporting,
    /// What lies on the stick.
    Exported(Result<Export, ExportError>),
    /// The ruler, in hundredths of a CSS pixel a millimetre.
    Ruler(u32),
    /// Why is it to be switched off?
    Reasons,
    /// Start the program again?
    Restart,
    /// The machine has been asked for something that ends this program, or that it must keep.
    Asked(ServiceRequest),
    /// It could not be done.
    Failed(ServiceRequest, FailureCode),
}

/// The guided self-test: each part in turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SelfTest {
    pub(crate) stage: Stage,
    pub(crate) verdicts: BTreeMap<Part, Verdict>,
    /// The readiness report.
    pub(crate) report: Slip,
}

/// Where in the self-test a technician is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The part is being tested.
    Running(Part),
    /// A sound was given: was it heard?
    Listening,
    /// What was found.
    Found(Part),
    /// All parts were tested.
    Summary,
}

/// What is known of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It works.
    Works(Finding),
    /// It does not, though it may have answered.
    Fails(FailureCode, Option<Finding>),
    /// The sound was heard.
    Heard,
    /// It was not: there is no code for silence.
    Silent,
}

/// Wishes on their way to the card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WishErrand {
    /// What the card is to hold.
    pub(crate) wishes: Wishes,
    pub(crate) stage: WishStage,
    /// How often the card was asked.
    pub(crate) attempts: u8,
}

/// Where the errand is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WishStage {
    /// What would be written is shown; nothing has been asked of the card.
    Asking,
    /// The holder has agreed, and the card is being written.
    Writing,
    /// Written and read back.
    Kept,
    /// The card does not hold it.
    NotKept,
}

impl WishErrand {
    /// Shown first, whatever it is.
    pub(crate) fn asking(wishes: Wishes) -> Self {
        Self { wishes, stage: WishStage::Asking, attempts: 0 }
    }

    /// Everything is to be erased.
    pub(crate) fn erases(self) -> bool {
        self.wishes == Wishes::default()
    }
}

/// What can be laid over any screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Panel {
    /// The help of this screen.
    Help,
    /// The languages.
    Languages,
    /// Letters and contrast.
    Looks,
}

/// A finished top-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ToppedUp {
    pub(crate) top_up: TopUpId,
    pub(crate) before: Cents,
    pub(crate) after: Cents,
    /// When the purse was read back.
    pub(crate) at: Timestamp,
    pub(crate) receipt: Slip,
}

/// A paper the citizen may have once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slip {
    /// Not asked for.
    Offered,
    /// Read on the screen; paper is to be had all the same.
    Shown,
    /// The paper is out.
    Out,
    /// It could not be had.
    Failed(FailureCode),
}

impl Slip {
    /// Once is enough: one that may have come out is not printed again.
    pub(crate) fn is_still_to_be_had(self) -> bool {
        match self {
            Self::Offered | Self::Shown => true,
            Self::Out | Self::Failed(FailureCode::PrintUncertain) => false,
            Self::Failed(_) => true,
        }
    }
}

/// A paper on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Printing {
    pub(crate) name: PrintName,
    pub(crate) code: Option<String>,
    /// The PDF in the vault, once there is one.
    pub(crate) document: Option<Handle>,
    pub(crate) then: AfterPrint,
}

/// Where a finished print leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AfterPrint {
    Document(DocumentKind),
    Receipt(ToppedUp),
    ClaimSlip(TopUpId),
    Readiness(SelfTest),
}

impl Place {
    /// The sound one arrives with; the screen always says the same.
    pub(crate) fn cue(&self) -> Option<Cue> {
        match self {
            Self::ToppedUp(ToppedUp { receipt: Slip::Offered | Slip::Out, .. })
            | Self::Printed { .. }
            | Self::Wishes(WishErrand { stage: WishStage::Kept, .. }) => Some(Cue::Done),
            // At the citizen's own wish.
            Self::Trouble { code: FailureCode::PaymentCancelled, .. } => None,
            Self::ToppedUp(_)
            | Self::Trouble { .. }
            | Self::Pin { problem: Some(_), .. }
            | Self::Wishes(WishErrand { stage: WishStage::NotKept, .. }) => Some(Cue::Refused),
            _ => None,
        }
    }

    /// The home screen, or its second half.
    pub(crate) fn is_home(&self) -> bool {
        matches!(self, Self::Home | Self::More)
    }

    /// Something is under way that must not be cut short by an idle hand.
    pub(crate) fn is_working(&self) -> bool {
        matches!(self, Self::Reading | Self::Proving(_) | Self::ToppingUp(_) | Self::Printing(_))
            || matches!(self, Self::Pin { checking: true, .. })
            || matches!(self, Self::Wishes(WishErrand { stage: WishStage::Writing, .. }))
            || matches!(self, Self::Maintenance(place) if place.is_working())
    }
}

impl Maintenance {
    /// The machine is at it, and answers.
    pub(crate) fn is_working(&self) -> bool {
        match self {
            Self::Testing(test) => matches!(test.stage, Stage::Running(_)),
            Self::Exporting | Self::Asked(_) => true,
            _ => false,
        }
    }
}
