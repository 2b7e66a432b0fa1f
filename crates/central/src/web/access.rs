//! Which of the office's pages and forms is for which roles. A path that stands nowhere here is for nobody: a new one
//! is closed until somebody has said for whom it is.

use crate::audit::Role;
use axum::http::Method;

const ALL: &[Role] = &[Role::Registry, Role::Finance, Role::Technician, Role::Auditor];
const MONEY: &[Role] = &[Role::Finance, Role::Auditor];
const CARDS: &[Role] = &[Role::Registry, Role::Finance, Role::Auditor];

/// Method, path as the router has it, roles.
pub(super) const OFFICE: &[(&str, &str, &[Role])] = &[
    ("GET", "/", ALL),
    ("GET", "/ledger", MONEY),
    ("GET", "/documents", &[Role::Registry, Role::Auditor]),
    ("GET", "/office/reconciliation", MONEY),
    ("GET", "/office/reconciliation.csv", MONEY),
    ("GET", "/office/money", MONEY),
    ("POST", "/office/money/settle", &[Role::Finance]),
    ("POST", "/office/money/block", &[Role::Finance]),
    ("POST", "/office/money/confirm", &[Role::Finance]),
    ("POST", "/office/money/explain", &[Role::Finance]),
    ("POST", "/office/money/balance", &[Role::Finance]),
    ("GET", "/office/cards", CARDS),
    ("POST", "/office/cards/find", CARDS),
    ("POST", "/office/cards/assign", &[Role::Registry]),
    ("POST", "/office/cards/order", &[Role::Registry]),
    ("POST", "/office/cards/block", &[Role::Registry]),
    ("POST", "/office/cards/unblock", &[Role::Registry]),
    ("POST", "/office/cards/pin", &[Role::Registry]),
    ("GET", "/office/fleet", &[Role::Technician, Role::Auditor]),
    ("GET", "/office/audit", ALL),
    ("GET", "/office/password", ALL),
    ("POST", "/office/password", ALL),
    ("POST", "/office/logout", ALL),
];

/// Whether this role may ask for it.
pub(super) fn may(role: Role, method: &Method, path: &str) -> bool {
    let method = if method == Method::HEAD { Method::GET.as_str() } else { method.as_str() };
    let found = OFFICE.iter().find(|(listed, at, _)| *listed == method && *at == path);
    found.is_some_and(|(_, _, roles)| roles.contains(&role))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_nowhere_is_for_nobody() {
        for role in Role::ALL {
            for (method, path) in [(Method::GET, "/office/new"), (Method::POST, "/ledger"), (Method::PUT, "/")] {
                assert!(!may(role, &method, path), "{method} {path} {role:?}");
            }
            assert_eq!(may(role, &Method::HEAD, "/"), role != Role::Console);
        }
    }

    #[test]
    fn an_auditor_reads_everything_and_changes_nothing_but_their_own_log_in() {
        let own = ["/office/password", "/office/logout", "/office/cards/find"];
        for (method, path, roles) in OFFICE {
            let expected = *method == "GET" || own.contains(path);
            assert_eq!(roles.contains(&Role::Auditor), expected, "{method} {path}");
        }
    }

    /// Every path that the pages' modules give to a router, as their text has it.
    #[test]
    fn every_page_of_the_router_has_its_roles() {
        let modules = [
            include_str!("pages.rs"),
            include_str!("office.rs"),
            include_str!("desk.rs"),
            include_str!("desk_cards.rs"),
            include_str!("desk_money.rs"),
            include_str!("fleet.rs"),
        ];
        let public = ["/check", "/check/{code}", "/check/{code}/document.pdf", "/style.css", "/office/login"];
        let mut seen = Vec::new();
        for routed in modules.iter().flat_map(|text| text.split(".route(\"").skip(1)) {
            let (path, rest) = routed.split_once('"').unwrap();
            let methods = rest.split('\n').next().unwrap();
            if public.contains(&path) {
                continue;
            }
            for (method, call) in [("GET", "get("), ("POST", "post(")] {
                if methods.contains(call) {
                    assert!(OFFICE.iter().any(|row| (row.0, row.1) == (method, path)), "{method} {path} has no roles");
                    seen.push((method, path));
                }
            }
        }
        for (method, path, _) in OFFICE {
            assert!(seen.contains(&(*method, *path)), "{method} {path} is routed nowhere");
        }
    }
}
