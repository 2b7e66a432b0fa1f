//! The tray of a reader whose card lives in this process: what lies in it, and the way from there to vpcd.
//!
//! Two ends: [`CardHost`] owns the card and says when it is there; the [`bridge`] stands beside pcscd, mostly in its
//! network namespace, and is vpcd's card. Card inserted = the bridge connects to vpcd; removed or torn off = it closes
//! that connection, if need be in the middle of an exchange.

pub mod bridge;
mod host;
mod wire;

#[cfg(test)]
mod tests;

pub use host::{CardHost, TrayEvent};
