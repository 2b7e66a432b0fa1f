//! The kinds of screen.

use super::{Button, Figure, Notice, Offer, Picture, Point, QrSquare, Row, Step, SumLine, Text};
use serde::Serialize;
use ts_rs::TS;

/// The kinds of screen; the window has one component for each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Screen {
    /// Nobody is here: the invitation.
    Attract {
        /// The languages, the default first.
        languages: Vec<Button>,
        /// Put your card in the tray.
        heading: Text,
        /// Leave it there until you have finished.
        lead: Text,
        /// What one can do here; not to be touched.
        offers: Vec<Offer>,
        /// A partial outage, said before anybody begins.
        notices: Vec<Notice>,
    },
    /// Something is under way; at most one thing to do.
    Busy {
        /// Where in the errand this is.
        step: Option<Step>,
        /// What is happening.
        heading: Text,
        /// What the citizen is to do or leave.
        lead: Text,
        /// The drawing.
        picture: Picture,
        /// The values at stake.
        sum: Vec<SumLine>,
        /// Ways out, if any.
        actions: Vec<Button>,
    },
    /// What the card holds, and what one can do.
    Home {
        /// The purse's value.
        balance: Option<Figure>,
        /// Partial outages and ages of figures.
        notices: Vec<Notice>,
        /// The question.
        heading: Text,
        /// Four to six choices, the commonest first.
        tiles: Vec<Button>,
    },
    /// How much to top up, written out as a sum.
    Amount {
        /// Where in the errand this is.
        step: Step,
        /// The question.
        heading: Text,
        /// Now, plus, after.
        sum: Vec<SumLine>,
        /// The amounts.
        choices: Vec<Button>,
        /// The verb with its amount.
        confirm: Button,
    },
    /// The PIN pad.
    Pin {
        /// Where in the errand this is.
        step: Option<Step>,
        /// The request.
        heading: Text,
        /// Why it is asked.
        lead: Text,
        /// Digits the PIN has.
        length: u8,
        /// Digits entered.
        entered: u8,
        /// A wrong try, and how many are left.
        notice: Option<Notice>,
        /// The digits 1 to 9, erase, 0, in the order of the pad.
        keys: Vec<Button>,
        /// Done.
        confirm: Button,
        /// The way out for who has forgotten it.
        actions: Vec<Button>,
    },
    /// One question, a few answers.
    Menu {
        /// Where in the errand this is.
        step: Option<Step>,
        /// The question.
        heading: Text,
        /// What one must know first.
        lead: Option<Text>,
        /// What one must also know.
        notices: Vec<Notice>,
        /// The answers.
        items: Vec<Button>,
    },
    /// Values to read, before a decision or for their own sake.
    Details {
        /// Where in the errand this is.
        step: Option<Step>,
        /// What these are.
        heading: Text,
        /// What one must know.
        lead: Option<Text>,
        /// Ages and limits.
        notices: Vec<Notice>,
        /// The values.
        rows: Vec<Row>,
        /// What one can do.
        actions: Vec<Button>,
    },
    /// It is done, and proven.
    Done {
        /// What was done.
        heading: Text,
        /// What comes next.
        lead: Option<Text>,
        /// The new balance.
        hero: Option<Figure>,
        /// How it came about.
        sum: Vec<SumLine>,
        /// References worth keeping.
        rows: Vec<Row>,
        /// The paper, if one is to be had, and what comes next.
        actions: Vec<Button>,
    },
    /// A receipt to be taken along with a telephone, and to be read.
    Receipt {
        /// What it is.
        heading: Text,
        /// What to do with it.
        lead: Text,
        /// The receipt, as a telephone reads it.
        code: QrSquare,
        /// The same, line by line: what the code is called for whoever cannot see it.
        lines: Vec<Text>,
        /// On to the other ways, and home.
        actions: Vec<Button>,
    },
    /// Something went wrong: what happened; that the money is safe; what to do now; what happens otherwise.
    Trouble {
        /// What went wrong is over: good news, and marked as such.
        mended: bool,
        /// What happened.
        heading: Text,
        /// What is certain.
        lead: Text,
        /// What to do, and what happens otherwise.
        points: Vec<Point>,
        /// The claim's code, large.
        claim: Option<Row>,
        /// The failure's code, for the telephone desk.
        code: Text,
        /// What one can do.
        actions: Vec<Button>,
    },
    /// Take your card, and good day.
    Farewell {
        /// Thanks, and what to take.
        heading: Text,
        /// What not to forget.
        lead: Text,
        /// The drawing.
        picture: Picture,
        /// A card or a paper was forgotten, and is being asked for.
        urgent: bool,
        /// That the paper was taken, which nobody else can see.
        actions: Vec<Button>,
    },
    /// A bar to be measured with a ruler, so that a millimetre is one on this glass.
    Ruler {
        /// What to do.
        heading: Text,
        /// How.
        lead: Text,
        /// How long the bar must be.
        length_mm: u16,
        /// Hundredths of a CSS pixel a millimetre: the bar has `length_mm * scale_hundredths / 100` pixels.
        scale_hundredths: u32,
        /// The scale as a number.
        value: Text,
        /// `shorter`, `longer`, `save`.
        actions: Vec<Button>,
    },
    /// The terminal can serve nobody.
    Closed {
        /// That it is out of order.
        heading: Text,
        /// Where to go instead.
        lead: Text,
        /// The human ways out.
        points: Vec<Point>,
        /// The failure's code.
        code: Text,
        /// A line for the technician, such as the file, line and key of a mistake.
        detail: Option<Text>,
    },
}

impl Screen {
    /// The kind, as the window and the logs name it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Attract { .. } => "attract",
            Self::Busy { .. } => "busy",
            Self::Home { .. } => "home",
            Self::Amount { .. } => "amount",
            Self::Pin { .. } => "pin",
            Self::Menu { .. } => "menu",
            Self::Details { .. } => "details",
            Self::Done { .. } => "done",
            Self::Receipt { .. } => "receipt",
            Self::Trouble { .. } => "trouble",
            Self::Farewell { .. } => "farewell",
            Self::Ruler { .. } => "ruler",
            Self::Closed { .. } => "closed",
        }
    }
}
