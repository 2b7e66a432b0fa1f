//! Where in the errands a session is: one value, from which the screen follows.

use domain::document::DocumentKind;
use domain::{Cents, FailureCode, Handle, PrintName, TopUpId};

/// Where the session is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// Nobody is here.
    Attract,
    /// A card was laid down and is being read.
    Reading,
    /// What the card holds, and what one can do.
    Home,
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
    /// Which document?
    Documents,
    /// The PIN, and what it is for.
    Pin {
        /// The document wanted.
        document: DocumentKind,
        /// Digits in the vault.
        entered: u8,
        /// Waiting for card or vault.
        checking: bool,
        /// What was wrong with the try before.
        problem: Option<FailureCode>,
    },
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
    /// Something went wrong, and the errand is over.
    Trouble {
        /// What.
        code: FailureCode,
        /// The amount in question.
        amount: Option<Cents>,
    },
    /// Good day; and take the card.
    Farewell,
}

/// A finished top-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ToppedUp {
    pub(crate) top_up: TopUpId,
    pub(crate) before: Cents,
    pub(crate) after: Cents,
    pub(crate) receipt: Slip,
}

/// A paper the citizen may have once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slip {
    /// Not asked for.
    Offered,
    /// The paper is out.
    Out,
    /// It could not be had.
    Failed(FailureCode),
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
}

impl Place {
    /// Something is under way that must not be cut short by an idle hand.
    pub(crate) fn is_working(&self) -> bool {
        matches!(self, Self::Reading | Self::Proving(_) | Self::ToppingUp(_) | Self::Printing(_))
            || matches!(self, Self::Pin { checking: true, .. })
    }
}
