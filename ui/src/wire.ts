// Generated from crates/session by `make wire`; a test fails when it drifts.

export type Painting = { 
/**
 * Rises with every view.
 */
seq: number, 
/**
 * The screen.
 */
view: View, };

export type Setup = { 
/**
 * CSS pixels a millimetre on this terminal's screen.
 */
pxPerMm: number, 
/**
 * The city's emblem, an SVG document out of the city pack.
 */
emblem: string, 
/**
 * Nothing moves on this terminal.
 */
still: boolean, };

export type View = { 
/**
 * BCP 47 tag of every text in here.
 */
lang: string, 
/**
 * The theme.
 */
theme: Theme, 
/**
 * Letters 1.4 times as large.
 */
largeText: boolean, 
/**
 * The strip at the top.
 */
frame: Frame, 
/**
 * What is shown and what can be done.
 */
screen: Screen, 
/**
 * The strip at the bottom: at most five, each in a place of its own that it never leaves: `finish` or `back`,
 * `language`, `looks`, `cover`, `help`. What makes no sense here is left out, and its place stays empty.
 */
tools: Array<Button>, 
/**
 * Something laid over the screen, which is inert below.
 */
overlay: Overlay | null, };

export type Theme = "standard" | "high-contrast";

export type Frame = { 
/**
 * What is happening now, or the city's name.
 */
title: Text, 
/**
 * Which terminal this is; only while nobody is served.
 */
subtitle: Text | null, 
/**
 * The time of day.
 */
clock: string, 
/**
 * A technician is at work: a quiet band says so on every screen.
 */
maintenance: boolean, };

export type Text = { 
/**
 * As shown.
 */
text: string, 
/**
 * As spoken, where that differs from what is shown.
 */
speech: string | null, 
/**
 * About this person: never spoken aloud, hidden by the cover.
 */
private: boolean, };

export type Screen = { "kind": "attract", 
/**
 * The languages, the default first.
 */
languages: Array<Button>, 
/**
 * Put your card in the tray.
 */
heading: Text, 
/**
 * Leave it there until you have finished.
 */
lead: Text, 
/**
 * What one can do here; not to be touched.
 */
offers: Array<Offer>, 
/**
 * A partial outage, said before anybody begins.
 */
notices: Array<Notice>, } | { "kind": "busy", 
/**
 * Where in the errand this is.
 */
step: Step | null, 
/**
 * What is happening.
 */
heading: Text, 
/**
 * What the citizen is to do or leave.
 */
lead: Text, 
/**
 * The drawing.
 */
picture: Picture, 
/**
 * The values at stake.
 */
sum: Array<SumLine>, 
/**
 * Ways out, if any.
 */
actions: Array<Button>, } | { "kind": "home", 
/**
 * The purse's value.
 */
balance: Figure | null, 
/**
 * Partial outages and ages of figures.
 */
notices: Array<Notice>, 
/**
 * The question.
 */
heading: Text, 
/**
 * Four to six choices, the commonest first.
 */
tiles: Array<Button>, } | { "kind": "amount", 
/**
 * Where in the errand this is.
 */
step: Step, 
/**
 * The question.
 */
heading: Text, 
/**
 * Now, plus, after.
 */
sum: Array<SumLine>, 
/**
 * The amounts.
 */
choices: Array<Button>, 
/**
 * The verb with its amount.
 */
confirm: Button, } | { "kind": "pin", 
/**
 * Where in the errand this is.
 */
step: Step | null, 
/**
 * The request.
 */
heading: Text, 
/**
 * Why it is asked.
 */
lead: Text, 
/**
 * Digits the PIN has.
 */
length: number, 
/**
 * Digits entered.
 */
entered: number, 
/**
 * A wrong try, and how many are left.
 */
notice: Notice | null, 
/**
 * The digits 1 to 9, erase, 0, in the order of the pad.
 */
keys: Array<Button>, 
/**
 * Done.
 */
confirm: Button, 
/**
 * The way out for who has forgotten it.
 */
actions: Array<Button>, } | { "kind": "menu", 
/**
 * Where in the errand this is.
 */
step: Step | null, 
/**
 * The question.
 */
heading: Text, 
/**
 * What one must know first.
 */
lead: Text | null, 
/**
 * What one must also know.
 */
notices: Array<Notice>, 
/**
 * The answers.
 */
items: Array<Button>, } | { "kind": "details", 
/**
 * Where in the errand this is.
 */
step: Step | null, 
/**
 * What these are.
 */
heading: Text, 
/**
 * What one must know.
 */
lead: Text | null, 
/**
 * Ages and limits.
 */
notices: Array<Notice>, 
/**
 * The values.
 */
rows: Array<Row>, 
/**
 * What one can do.
 */
actions: Array<Button>, } | { "kind": "done", 
/**
 * What was done.
 */
heading: Text, 
/**
 * What comes next.
 */
lead: Text | null, 
/**
 * The new balance.
 */
hero: Figure | null, 
/**
 * How it came about.
 */
sum: Array<SumLine>, 
/**
 * References worth keeping.
 */
rows: Array<Row>, 
/**
 * The paper, if one is to be had, and what comes next.
 */
actions: Array<Button>, } | { "kind": "receipt", 
/**
 * What it is.
 */
heading: Text, 
/**
 * What to do with it.
 */
lead: Text, 
/**
 * The receipt, as a telephone reads it.
 */
code: QrSquare, 
/**
 * The same, line by line: what the code is called for whoever cannot see it.
 */
lines: Array<Text>, 
/**
 * On to the other ways, and home.
 */
actions: Array<Button>, } | { "kind": "trouble", 
/**
 * What went wrong is over: good news, and marked as such.
 */
mended: boolean, 
/**
 * What happened.
 */
heading: Text, 
/**
 * What is certain.
 */
lead: Text, 
/**
 * What to do, and what happens otherwise.
 */
points: Array<Point>, 
/**
 * The claim's code, large.
 */
claim: Row | null, 
/**
 * The failure's code, for the telephone desk.
 */
code: Text, 
/**
 * What one can do.
 */
actions: Array<Button>, } | { "kind": "farewell", 
/**
 * Thanks, and what to take.
 */
heading: Text, 
/**
 * What not to forget.
 */
lead: Text, 
/**
 * The drawing.
 */
picture: Picture, 
/**
 * A card or a paper was forgotten, and is being asked for.
 */
urgent: boolean, 
/**
 * That the paper was taken, which nobody else can see.
 */
actions: Array<Button>, } | { "kind": "ruler", 
/**
 * What to do.
 */
heading: Text, 
/**
 * How.
 */
lead: Text, 
/**
 * How long the bar must be.
 */
lengthMm: number, 
/**
 * Hundredths of a CSS pixel a millimetre: the bar has `length_mm * scale_hundredths / 100` pixels.
 */
scaleHundredths: number, 
/**
 * The scale as a number.
 */
value: Text, 
/**
 * `shorter`, `longer`, `save`.
 */
actions: Array<Button>, } | { "kind": "closed", 
/**
 * That it is out of order.
 */
heading: Text, 
/**
 * Where to go instead.
 */
lead: Text, 
/**
 * The human ways out.
 */
points: Array<Point>, 
/**
 * The failure's code.
 */
code: Text, 
/**
 * A line for the technician, such as the file, line and key of a mistake.
 */
detail: Text | null, };

export type Button = { 
/**
 * Stable within its screen; tests and focus go by it.
 */
id: string, 
/**
 * The verb with its object.
 */
label: Text, 
/**
 * What it leads to.
 */
hint: Text | null, 
/**
 * The drawing, always with a word.
 */
icon: Icon | null, 
/**
 * What kind of thing it is.
 */
tone: Tone, 
/**
 * Marked.
 */
selected: boolean, 
/**
 * Can be touched now.
 */
enabled: boolean, 
/**
 * What it sends.
 */
action: Action, };

export type Tone = "plain" | "primary" | "pay" | "finish";

export type Offer = { 
/**
 * The drawing.
 */
icon: Icon, 
/**
 * What.
 */
label: Text, };

export type Step = { 
/**
 * From 1.
 */
current: number, 
/**
 * In all.
 */
total: number, 
/**
 * "Step 1 of 3".
 */
label: Text, };

export type Figure = { 
/**
 * What it is.
 */
label: Text, 
/**
 * The value as shown at the end.
 */
value: Text, 
/**
 * Where it comes from and how old it is.
 */
source: Text, 
/**
 * Values to count through once, the last being `value`; empty for no motion.
 */
counting: Array<string>, };

export type SumLine = { 
/**
 * What.
 */
label: Text, 
/**
 * How much, with its sign.
 */
value: Text, 
/**
 * The result, below the rule.
 */
total: boolean, };

export type Row = { 
/**
 * What.
 */
label: Text, 
/**
 * The value.
 */
value: Text, 
/**
 * More about it.
 */
hint: Text | null, 
/**
 * The drawing.
 */
icon: Icon | null, };

export type Notice = { 
/**
 * The drawing.
 */
icon: Icon, 
/**
 * The statement.
 */
title: Text, 
/**
 * What it means here.
 */
text: Text, 
/**
 * The failure's code, where there is one.
 */
code: string | null, };

export type Point = { 
/**
 * The drawing.
 */
icon: Icon, 
/**
 * The point.
 */
text: Text, };

export type QrSquare = { 
/**
 * Modules on a side, the quiet zone included: the side of the drawing's view box.
 */
side: number, 
/**
 * The dark modules as an SVG path in modules.
 */
path: string, 
/**
 * What it is, for whoever cannot see it.
 */
name: Text, 
/**
 * Says how much was paid with which bank card: it goes with what is private.
 */
private: boolean, };

export type Overlay = { "kind": "time-warning", 
/**
 * Are you still there?
 */
heading: Text, 
/**
 * What happens otherwise.
 */
lead: Text, 
/**
 * Seconds left, large.
 */
seconds: number, 
/**
 * Stay, and leave.
 */
actions: Array<Button>, } | { "kind": "cover", 
/**
 * Put the card back, or touch to go on.
 */
heading: Text, 
/**
 * What happens otherwise.
 */
lead: Text, 
/**
 * What is to be done with the card; none when it was covered on request.
 */
picture: Picture | null, 
/**
 * Go on.
 */
actions: Array<Button>, } | { "kind": "choice", 
/**
 * What is chosen.
 */
heading: Text, 
/**
 * What one must know.
 */
lead: Text | null, 
/**
 * The choices; what holds now is marked.
 */
items: Array<Button>, 
/**
 * Close.
 */
actions: Array<Button>, } | { "kind": "help", 
/**
 * What this is about.
 */
heading: Text, 
/**
 * Short paragraphs.
 */
paragraphs: Array<Text>, 
/**
 * Close.
 */
actions: Array<Button>, };

export type Icon = "art" | "back" | "bike" | "booking" | "bus" | "car" | "card" | "check" | "children" | "city" | "clock" | "code" | "contrast" | "cover" | "document" | "erase" | "finish" | "heart" | "help" | "home" | "language" | "letters" | "library" | "list" | "museum" | "offline" | "paper" | "parking" | "pay" | "people" | "phone" | "pool" | "receipt" | "road" | "school" | "sport" | "tax" | "terminal" | "toilet" | "top-up" | "warning" | "wifi";

export type Picture = "reading" | "pay-here" | "pay-wait" | "pay-take" | "hold-card" | "printing" | "take-paper" | "take-card" | "put-back";

export type Action = { "do": "select-language", 
/**
 * The tag.
 */
lang: string, } | { "do": "finish" } | { "do": "back" } | { "do": "home" } | { "do": "top-up" } | { "do": "choose-amount", 
/**
 * Euro cents.
 */
cents: number, } | { "do": "pay" } | { "do": "cancel-payment" } | { "do": "print-receipt" } | { "do": "show-receipt" } | { "do": "documents" } | { "do": "choose-document", 
/**
 * Its stable name.
 */
document: string, } | { "do": "print-document" } | { "do": "pin-digit", 
/**
 * 0 to 9.
 */
digit: number, } | { "do": "pin-erase" } | { "do": "pin-confirm" } | { "do": "services" } | { "do": "movements" } | { "do": "next-page" } | { "do": "print-claim" } | { "do": "toggle-letters" } | { "do": "toggle-contrast" } | { "do": "toggle-cover" } | { "do": "toggle-help" } | { "do": "toggle-languages" } | { "do": "toggle-looks" } | { "do": "toggle-more-time" } | { "do": "toggle-simple" } | { "do": "more" } | { "do": "remember-wishes" } | { "do": "erase-wishes" } | { "do": "write-wishes" } | { "do": "stay" } | { "do": "paper-taken" } | { "do": "forgot-pin" } | { "do": "maintain", 
/**
 * Which.
 */
task: Task, };

export type Task = { "task": "menu" } | { "task": "more" } | { "task": "state" } | { "task": "self-test" } | { "task": "repeat" } | { "task": "next" } | { "task": "heard", 
/**
 * It was.
 */
heard: boolean, } | { "task": "print-report" } | { "task": "paper" } | { "task": "paper-changed" } | { "task": "claims" } | { "task": "export" } | { "task": "start-export" } | { "task": "ruler" } | { "task": "shorter" } | { "task": "longer" } | { "task": "save-scale" } | { "task": "reasons" } | { "task": "switch-off", 
/**
 * Why.
 */
reason: "repair" | "paper" | "reader" | "vandalism" | "other", } | { "task": "switch-on" } | { "task": "restart" } | { "task": "confirm-restart" };

