//! The whole screen as data: every string is resolved, every button carries its action. What the window shows, the
//! voice says and the paper prints therefore cannot disagree.

use crate::action::Action;
use serde::Serialize;
use ts_rs::TS;

/// One screen, complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct View {
    /// BCP 47 tag of every text in here.
    pub lang: String,
    /// The theme.
    pub theme: Theme,
    /// Letters 1.4 times as large.
    pub large_text: bool,
    /// The strip at the top.
    pub frame: Frame,
    /// What is shown and what can be done.
    pub screen: Screen,
    /// The strip at the bottom: at most five, each in a place of its own that it never leaves: `finish` or `back`,
    /// `language`, `looks`, `cover`, `help`. What makes no sense here is left out, and its place stays empty.
    pub tools: Vec<Button>,
    /// Something laid over the screen, which is inert below.
    pub overlay: Option<Overlay>,
}

/// How it is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Theme {
    /// Sea and sand.
    Standard,
    /// Black, white and yellow: a theme of its own, not a filter.
    HighContrast,
}

/// The strip at the top.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Frame {
    /// What is happening now, or the city's name.
    pub title: Text,
    /// Which terminal this is; only while nobody is served.
    pub subtitle: Option<Text>,
    /// The time of day.
    pub clock: String,
    /// A technician is at work: a quiet band says so on every screen.
    pub maintenance: bool,
}

/// A text a person sees, and hears unless it is private.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Text {
    /// As shown.
    pub text: String,
    /// As spoken, where that differs from what is shown.
    pub speech: Option<String>,
    /// About this person: never spoken aloud, hidden by the cover.
    pub private: bool,
}

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

/// Something to touch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Button {
    /// Stable within its screen; tests and focus go by it.
    pub id: String,
    /// The verb with its object.
    pub label: Text,
    /// What it leads to.
    pub hint: Option<Text>,
    /// The drawing, always with a word.
    pub icon: Option<Icon>,
    /// What kind of thing it is.
    pub tone: Tone,
    /// Marked.
    pub selected: bool,
    /// Can be touched now.
    pub enabled: bool,
    /// What it sends.
    pub action: Action,
}

/// What kind of thing a button is; colour is never its only sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Tone {
    /// One of several.
    Plain,
    /// The one main action.
    Primary,
    /// Pays.
    Pay,
    /// Ends the visit.
    Finish,
}

/// Something one can do here, shown before the card is laid down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Offer {
    /// The drawing.
    pub icon: Icon,
    /// What.
    pub label: Text,
}

/// Where in an errand a screen is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// From 1.
    pub current: u8,
    /// In all.
    pub total: u8,
    /// "Step 1 of 3".
    pub label: Text,
}

/// A number that is the hero of its screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Figure {
    /// What it is.
    pub label: Text,
    /// The value as shown at the end.
    pub value: Text,
    /// Where it comes from and how old it is.
    pub source: Text,
    /// Values to count through once, the last being `value`; empty for no motion.
    pub counting: Vec<String>,
}

/// One line of a written sum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SumLine {
    /// What.
    pub label: Text,
    /// How much, with its sign.
    pub value: Text,
    /// The result, below the rule.
    pub total: bool,
}

/// A value with its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// What.
    pub label: Text,
    /// The value.
    pub value: Text,
    /// More about it.
    pub hint: Option<Text>,
    /// The drawing.
    pub icon: Option<Icon>,
}

/// Something one must know, not tied to an action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Notice {
    /// The drawing.
    pub icon: Icon,
    /// The statement.
    pub title: Text,
    /// What it means here.
    pub text: Text,
    /// The failure's code, where there is one.
    pub code: Option<String>,
}

/// One point of what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Point {
    /// The drawing.
    pub icon: Icon,
    /// The point.
    pub text: Text,
}

/// Laid over the screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Overlay {
    /// Time is running out.
    TimeWarning {
        /// Are you still there?
        heading: Text,
        /// What happens otherwise.
        lead: Text,
        /// Seconds left, large.
        seconds: u32,
        /// Stay, and leave.
        actions: Vec<Button>,
    },
    /// Private data is covered: the card was lifted, or the citizen asked for it. Nothing private is in the view.
    Cover {
        /// Put the card back, or touch to go on.
        heading: Text,
        /// What happens otherwise.
        lead: Text,
        /// What is to be done with the card; none when it was covered on request.
        picture: Option<Picture>,
        /// Go on.
        actions: Vec<Button>,
    },
    /// A choice that is possible at any time: the language, or how the screen looks.
    Choice {
        /// What is chosen.
        heading: Text,
        /// What one must know.
        lead: Option<Text>,
        /// The choices; what holds now is marked.
        items: Vec<Button>,
        /// Close.
        actions: Vec<Button>,
    },
    /// The help of this screen.
    Help {
        /// What this is about.
        heading: Text,
        /// Short paragraphs.
        paragraphs: Vec<Text>,
        /// Close.
        actions: Vec<Button>,
    },
}

/// The drawings on the 24 grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "each is named after what it shows")]
pub enum Icon {
    Art,
    Back,
    Bike,
    Booking,
    Bus,
    Car,
    Card,
    Check,
    Children,
    City,
    Clock,
    Contrast,
    Cover,
    Document,
    Erase,
    Finish,
    Heart,
    Help,
    Home,
    Language,
    Letters,
    Library,
    List,
    Museum,
    Offline,
    Paper,
    Parking,
    Pay,
    People,
    Phone,
    Pool,
    Receipt,
    Road,
    School,
    Sport,
    Tax,
    Terminal,
    Toilet,
    TopUp,
    Warning,
    Wifi,
}

/// The large drawings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Picture {
    /// A card being read.
    Reading,
    /// The bank card at the payment terminal.
    PayHere,
    /// The payment terminal is at work; no card is wanted.
    PayWait,
    /// Take the bank card back.
    PayTake,
    /// The city card stays in the tray.
    HoldCard,
    /// A paper being printed.
    Printing,
    /// Take the paper.
    TakePaper,
    /// Take the card.
    TakeCard,
    /// Put the card back.
    PutBack,
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
            Self::Trouble { .. } => "trouble",
            Self::Farewell { .. } => "farewell",
            Self::Ruler { .. } => "ruler",
            Self::Closed { .. } => "closed",
        }
    }
}
