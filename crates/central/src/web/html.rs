//! The frame of the pages, and text made safe to stand in it.

use super::access;
use super::officer::Officer;
use axum::http::Method;
use std::fmt::Write;

/// Text as it may stand between tags and in quoted attributes.
pub(super) fn text(raw: impl AsRef<str>) -> String {
    let mut out = String::with_capacity(raw.as_ref().len());
    for character in raw.as_ref().chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// Markup that is already safe.
pub(super) struct Markup(pub(super) String);

/// A table; headings are text, cells are markup.
pub(super) fn table(headings: &[&str], rows: &[Vec<Markup>], empty: &str) -> String {
    if rows.is_empty() {
        return format!("<p class=\"empty\">{}</p>\n", text(empty));
    }
    let mut out = String::from("<div class=\"wide\"><table>\n<thead><tr>");
    for heading in headings {
        let _ = write!(out, "<th scope=\"col\">{}</th>", text(heading));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        out.push_str("<tr>");
        for cell in row {
            let _ = write!(out, "<td>{}</td>", cell.0);
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
    out
}

/// Text as a cell.
pub(super) fn cell(raw: impl AsRef<str>) -> Markup {
    Markup(text(raw))
}

/// A figure as a cell: right-aligned, tabular.
pub(super) fn figure(raw: impl AsRef<str>) -> Markup {
    Markup(format!("<span class=\"n\">{}</span>", text(raw)))
}

/// Where the reader is; decides which link is marked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Summary,
    Ledger,
    Documents,
    Reconciliation,
    Money,
    Cards,
    Audit,
    Password,
    LogIn,
    Fleet,
    Check,
}

const LINKS: [(Place, &str, &str); 10] = [
    (Place::Summary, "/", "Resumen"),
    (Place::Ledger, "/ledger", "Libro"),
    (Place::Documents, "/documents", "Documentos"),
    (Place::Reconciliation, "/office/reconciliation", "Conciliación"),
    (Place::Money, "/office/money", "Tesorería"),
    (Place::Cards, "/office/cards", "Tarjetas"),
    (Place::Fleet, "/office/fleet", "Terminales"),
    (Place::Audit, "/office/audit", "Actos"),
    (Place::Password, "/office/password", "Contraseña"),
    (Place::Check, "/check", "Comprobar un documento"),
];

/// A whole page, with the way to what this officer may see. The public check page and the log-in show none.
pub(super) fn page(city: &str, place: Place, title: &str, body: &str, officer: Option<&Officer>) -> String {
    let officer = officer.filter(|_| !matches!(place, Place::Check | Place::LogIn));
    let nav = officer.map(|officer| nav(place, officer)).unwrap_or_default();
    let (city, title) = (text(city), text(title));
    format!(
        "<!doctype html>\n<html lang=\"es\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"robots\" content=\"noindex\">\n\
         <title>{title} · {city}</title>\n<link rel=\"stylesheet\" href=\"/style.css\">\n</head>\n<body>\n\
         <header><p class=\"city\">{city}</p>{nav}</header>\n<main>\n<h1>{title}</h1>\n{body}</main>\n</body>\n</html>\n"
    )
}

fn nav(place: Place, officer: &Officer) -> String {
    let mut links = String::new();
    let is_theirs = |path: &str| path == "/check" || access::may(officer.actor.role, &Method::GET, path);
    for (at, path, name) in LINKS.iter().filter(|(_, path, _)| is_theirs(path)) {
        let current = if *at == place { " aria-current=\"page\"" } else { "" };
        let _ = write!(links, "<a href=\"{path}\"{current}>{}</a>", text(name));
    }
    let leave = match &officer.session {
        None => String::new(),
        Some((account, _)) => form("/office/logout", officer, "", &format!("Salir ({})", account.name)),
    };
    format!("<nav aria-label=\"Páginas\">{links}</nav>{leave}")
}

/// A form of this session; `fields` is markup.
pub(super) fn form(action: &str, officer: &Officer, fields: &str, button: &str) -> String {
    let token = text(officer.form_token());
    format!(
        "<form action=\"{}\" method=\"post\"><input type=\"hidden\" name=\"csrf\" value=\"{token}\">{fields}\
         <button>{}</button></form>\n",
        text(action),
        text(button)
    )
}

/// A field of a form, with its label.
pub(super) fn field(name: &str, label: &str, kind: &str) -> String {
    let (name, label, kind) = (text(name), text(label), text(kind));
    format!(
        "<label>{label} <input name=\"{name}\" type=\"{kind}\" autocomplete=\"off\" spellcheck=\"false\" required></label>"
    )
}

/// A field that the reader does not see.
pub(super) fn hidden(name: &str, value: &str) -> String {
    format!("<input type=\"hidden\" name=\"{}\" value=\"{}\">", text(name), text(value))
}

/// A choice of one among several: the value that is sent, and its words.
pub(super) fn choice(name: &str, label: &str, options: &[(&str, &str)]) -> String {
    let options: String = options
        .iter()
        .map(|(value, words)| format!("<option value=\"{}\">{}</option>", text(value), text(words)))
        .collect();
    format!("<label>{} <select name=\"{}\">{options}</select></label>", text(label), text(name))
}

/// The one style sheet.
pub(super) const STYLE: &str = include_str!("style.css");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_text_is_shown_and_never_obeyed() {
        let hostile = "<script>alert('1')</script>&\"";
        assert_eq!(text(hostile), "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;&quot;");
        let body = table(&[hostile], &[vec![cell(hostile)]], "") + &field(hostile, hostile, hostile);
        let body = body + &choice(hostile, hostile, &[(hostile, hostile)]) + &hidden(hostile, hostile);
        let page = page(hostile, Place::Ledger, hostile, &body, Some(&Officer::onlooker()));
        assert!(!page.contains("<script>"));
        assert!(page.contains("<a href=\"/ledger\" aria-current=\"page\">"));
        assert!(!page.contains("logout"), "an onlooker has nothing to leave");
    }
}
