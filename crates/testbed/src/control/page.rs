//! The control page's HTML.

use super::Control;
use crate::books;
use crate::printer::Fault;
use central::report::{euros, outcome_name};
use payment_simulator::{TransactionState, Waiting};
use std::fmt::Write;

/// Rows of the ledger that are shown.
const ROWS: usize = 8;

/// The whole page.
pub(super) fn whole(control: &Control) -> String {
    let street = control.street();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>The street</title>\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<link rel=\"stylesheet\" href=\"/style.css\">\n\
         <script src=\"/script.js\" defer></script>\n</head>\n<body>\n\
         <header><h1>The street</h1><p>Play the citizen, the bank and fate; the kiosk is in its own window.</p>\n\
         <a href=\"{}\" target=\"_blank\" rel=\"noreferrer\">Central’s own pages</a></header>\n\
         <main id=\"live\">{}</main>\n<p id=\"failure\" role=\"alert\" hidden></p>\n</body>\n</html>\n",
        escaped(&street.central_url()),
        live(control)
    )
}

/// The part that changes.
pub(super) fn live(control: &Control) -> String {
    let mut out = String::new();
    citizen(control, &mut out);
    payment(control, &mut out);
    printer(control, &mut out);
    technician(control, &mut out);
    surroundings(control, &mut out);
    ledger(control, &mut out);
    out
}

struct Deed<'a> {
    name: &'a str,
    label: &'a str,
    main: bool,
    enabled: bool,
}

fn deed<'a>(name: &'a str, label: &'a str) -> Deed<'a> {
    Deed { name, label, main: false, enabled: true }
}

impl Deed<'_> {
    fn main(self) -> Self {
        Self { main: true, ..self }
    }

    fn when(self, enabled: bool) -> Self {
        Self { enabled, ..self }
    }

    fn html(&self) -> String {
        let class = if self.main { " class=\"main\"" } else { "" };
        let disabled = if self.enabled { "" } else { " disabled" };
        let (name, label) = (self.name, escaped(self.label));
        format!("<form method=\"post\" action=\"/do/{name}\"><button{class}{disabled}>{label}</button></form>")
    }
}

/// One card of the page. Writing to a String cannot fail.
fn section(out: &mut String, id: &str, title: &str, state: (&str, &str), body: &str, deeds: &[Deed<'_>]) {
    let (mood, state) = state;
    let buttons: String = deeds.iter().map(Deed::html).collect();
    let _ = writeln!(
        out,
        "<section id=\"{id}\"><h2>{title}</h2><p class=\"state {mood}\">{}</p>{body}\
         <div class=\"deeds\">{buttons}</div></section>",
        escaped(state)
    );
}

fn citizen(control: &Control, out: &mut String) {
    let street = control.street();
    let (holder, card) = (street.holder(), street.card());
    let in_tray = street.tray().is_occupied();
    let armed = !card.faults().faults.is_empty();
    let body = format!(
        "<dl><div><dt>Invented holder</dt><dd>{}</dd></div><div><dt>PIN</dt><dd class=\"pin\">{}</dd></div>\
         <div><dt>Purse on the card</dt><dd>{}</dd></div></dl>{}",
        escaped(&holder.name),
        escaped(&holder.pin),
        euros(card.purse().unwrap_or_default()),
        if armed { "<p class=\"note\">The card will be torn off at its next write.</p>" } else { "" }
    );
    drop(card);
    let state =
        if in_tray { ("good", "The card lies in the tray") } else { ("", "The card is in the citizen’s hand") };
    let deeds = [
        if in_tray {
            deed("lift-card", "Lift the card").main()
        } else {
            deed("lay-card", "Lay the card in the tray").main()
        },
        deed("tear-after", "Tear it off: written, answer lost").when(!armed),
        deed("tear-before", "Tear it off: nothing written").when(!armed),
    ];
    section(out, "citizen", "Citizen", state, &body, &deeds);
}

fn payment(control: &Control, out: &mut String) {
    let payment = control.street().payment();
    let waiting = payment.waiting();
    let asked = matches!(waiting, Waiting::Card { .. });
    let text = match waiting {
        Waiting::Idle => "Idle".to_owned(),
        Waiting::Card { amount } => format!("Waits for a bank card: {}", euros(amount)),
        Waiting::Bank => "Asks the bank".to_owned(),
        Waiting::Register { .. } => "Approved; waits for the kiosk".to_owned(),
        Waiting::Off => "Off".to_owned(),
    };
    let mut rows = String::new();
    for transaction in payment.ledger().iter().rev().take(ROWS) {
        let state = match transaction.state {
            TransactionState::Authorised => "authorised",
            TransactionState::Reserved => "reserved",
            TransactionState::Expired => "expired",
            TransactionState::Posted => "posted",
            TransactionState::Reversed => "reversed",
        };
        let _ = write!(
            rows,
            "<tr><td>receipt {}</td><td>{}</td><td>{state}</td></tr>",
            transaction.receipt,
            euros(transaction.amount)
        );
    }
    let body = if rows.is_empty() { String::new() } else { format!("<table>{rows}</table>") };
    let deeds = [
        deed("approve", "Approve").main().when(asked),
        deed("decline", "Decline").when(asked),
        deed("cancel", "Cancel").when(asked),
        deed("silence", "Fall silent").when(asked),
    ];
    section(out, "payment", "Payment terminal", (if asked { "call" } else { "" }, &text), &body, &deeds);
}

fn printer(control: &Control, out: &mut String) {
    let in_tray = control.street().printer().papers().unwrap_or_default().len();
    let fault = *super::lock(&control.fault);
    let state = match fault {
        Fault::PaperOut => ("bad", "Out of paper".to_owned()),
        Fault::Jam => ("bad", "Paper jam".to_owned()),
        Fault::Open => ("bad", "Cover open".to_owned()),
        Fault::Refuses => ("bad", "Refuses documents".to_owned()),
        Fault::HalfPage => ("bad", "Leaves pages half printed".to_owned()),
        Fault::Stuck => ("bad", "Stands still".to_owned()),
        Fault::None if in_tray > 0 => ("call", format!("{in_tray} in the exit tray")),
        Fault::None => ("", "Ready".to_owned()),
    };
    let mut pictures = String::new();
    for number in (1..=control.papers().len()).rev().take(4) {
        let _ = write!(
            pictures,
            "<a href=\"/papers/{number}.pdf\" target=\"_blank\"><img src=\"/papers/{number}.png\" alt=\"Paper {number}\" width=\"105\" height=\"148\"></a>"
        );
    }
    let body = if pictures.is_empty() { String::new() } else { format!("<div class=\"papers\">{pictures}</div>") };
    let sound = fault == Fault::None;
    let deeds = [
        deed("take-paper", "Take the paper").main().when(in_tray > 0),
        deed("paper-out", "Paper out").when(sound),
        deed("paper-jam", "Jam").when(sound),
        deed("cover-open", "Open the cover").when(sound),
        deed("printer-mended", "Mend it").when(!sound),
    ];
    section(out, "printer", "Printer", (state.0, &state.1), &body, &deeds);
}

fn technician(control: &Control, out: &mut String) {
    let street = control.street();
    let (technician, stick) = (street.technician(), street.has_stick());
    let body = format!(
        "<dl><div><dt>Invented technician</dt><dd>{}</dd></div><div><dt>PIN</dt><dd class=\"pin\">{}</dd></div></dl>",
        escaped(&technician.name),
        escaped(&technician.pin)
    );
    let state = if stick { ("call", "A USB stick is plugged in") } else { ("", "No USB stick is plugged in") };
    let deeds = [
        deed("lay-service-card", "Lay the service card in the tray").when(!street.tray().is_occupied()),
        if stick { deed("pull-stick", "Pull the stick out") } else { deed("plug-stick", "Plug a stick in") },
    ];
    section(out, "technician", "Technician", state, &body, &deeds);
}

fn surroundings(control: &Control, out: &mut String) {
    let up = control.street().central_cable().is_up();
    let state = if up { ("good", "Central is reachable") } else { ("bad", "The network is cut") };
    let network =
        if up { deed("cut-network", "Cut the network") } else { deed("restore-network", "Restore the network").main() };
    section(out, "world", "Network and power", state, "", &[network, deed("power-cut", "Pull the kiosk’s plug")]);
}

fn ledger(control: &Control, out: &mut String) {
    let (books, differences) = match (control.street().central_books(), books::at_a_glance(control.street())) {
        (Ok(books), Ok(differences)) => (books, differences),
        (Err(error), _) | (_, Err(error)) => {
            return section(out, "books", "Books", ("bad", &error.to_string()), "", &[]);
        }
    };
    let mut body = String::new();
    for difference in &differences {
        let _ = write!(body, "<p class=\"note\">{}</p>", escaped(difference));
    }
    body.push_str("<table>");
    for top_up in books.top_ups.iter().rev().take(ROWS) {
        let subject = top_up.subject();
        let _ = write!(
            body,
            "<tr><td>{}</td><td>{}</td><td>{}</td></tr>",
            top_up.claim_code(),
            euros(subject.amount),
            outcome_name(top_up.outcome())
        );
    }
    let _ = write!(body, "</table><p class=\"sum\">{} documents deposited</p>", books.documents.len());
    let state = if differences.is_empty() {
        ("good", "Card, central and payment terminal agree")
    } else {
        ("call", "Something is under way or in doubt")
    };
    section(out, "books", "Books", state, &body, &[]);
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
