//! Where a terminal may reach central.

use crate::error::CentralError;

/// A terminal with a token reaches central on the same machine, where nobody can listen.
///
/// # Errors
/// `CentralError::NotReady` for any other address.
pub fn check_plain(central: &str) -> Result<(), CentralError> {
    let local = ["http://127.0.0.1", "http://[::1]", "http://localhost"];
    let rest = local.iter().find_map(|start| central.strip_prefix(start));
    if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/'])) {
        return Ok(());
    }
    let text = "a token is for plain HTTP on this machine alone; elsewhere enrol with --request or --code";
    Err(CentralError::NotReady(text.to_owned()))
}

/// A terminal with a certificate reaches central over TLS.
///
/// # Errors
/// `CentralError::NotReady` for any other address.
pub fn check_secure(central: &str) -> Result<(), CentralError> {
    if central.starts_with("https://") {
        return Ok(());
    }
    Err(CentralError::NotReady("a terminal with a certificate reaches central by an https URL".to_owned()))
}
