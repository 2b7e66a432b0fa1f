//! Where a card can be lifted.

use crate::city::Kind;
use card_simulator::{FaultKind, FaultPlan, When};
use std::fmt;

/// One lifting: at which exchange of the errand, and how.
#[derive(Debug, Clone)]
pub(crate) struct Tear {
    pub(crate) number: u32,
    pub(crate) name: String,
    pub(crate) kind: FaultKind,
}

impl Tear {
    pub(crate) fn plan(&self) -> FaultPlan {
        FaultPlan::once(When::Exchange(self.number), self.kind)
    }
}

impl fmt::Display for Tear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at exchange {} ({})", self.kind, self.number, self.name)
    }
}

/// Bytes of a block that a cut-off write brings: each of them.
const BLOCK: u8 = 16;

fn numbered(names: &[String]) -> impl Iterator<Item = (u32, &String)> {
    (1..).zip(names)
}

fn tear((number, name): (u32, &String), kind: FaultKind) -> Tear {
    Tear { number, name: name.clone(), kind }
}

/// Each exchange, before and after.
pub(crate) fn around(names: &[String]) -> Vec<Tear> {
    let kinds = [FaultKind::TearBefore, FaultKind::TearAfter];
    kinds.into_iter().flat_map(|kind| numbered(names).map(move |exchange| tear(exchange, kind))).collect()
}

/// Each exchange that changes a card's memory, cut off after each number of bytes.
pub(crate) fn within(names: &[String], cut: fn(u8) -> FaultKind) -> Vec<Tear> {
    let writes = |&(_, name): &(u32, &String)| is_write(name);
    let exchanges = numbered(names).filter(writes);
    exchanges.flat_map(|exchange| (0..BLOCK).map(move |bytes| tear(exchange, cut(bytes)))).collect()
}

/// Every way in which this kind of card can be lifted; a DESFire card writes in one step, so that there a cut-off write
/// is one that did not happen.
pub(crate) fn everywhere(kind: Kind, names: &[String]) -> Vec<Tear> {
    let mut all = around(names);
    if kind.is_classic() {
        all.extend(within(names, FaultKind::TearMidWrite));
    } else {
        all.extend(numbered(names).map(|exchange| tear(exchange, FaultKind::TearMidWrite(7))));
    }
    all
}

fn is_write(name: &str) -> bool {
    name.starts_with("write") || name.starts_with("value operation")
}

/// An exchange in a person's words.
pub(crate) fn name_of(command: &[u8]) -> String {
    let name = match *command {
        [0xFF, 0xCA, ..] => "UID",
        [0xFF, 0x82, ..] => "load key",
        [0xFF, 0x86, _, _, _, _, _, block, ..] => return format!("authenticate block {block}"),
        [0xFF, 0xB0, _, block, ..] => return format!("read block {block}"),
        [0xFF, 0xD6, _, block, ..] => return format!("write block {block}"),
        [0xFF, 0xD7, _, block, ..] => return format!("value operation block {block}"),
        [0x90, 0x5A, ..] => "SelectApplication",
        [0x90, 0x71, ..] => "AuthenticateEV2First",
        [0x90, 0xAA, ..] => "AuthenticateAES",
        [0x90, 0xAF, ..] => "additional frame",
        [0x90, 0x51, ..] => "GetCardUID",
        [0x90, 0xF5, ..] => "GetFileSettings",
        [0x90, 0x6C, ..] => "GetValue",
        [0x90, 0x0C, ..] => "Credit",
        [0x90, 0xAD | 0xBD, ..] => "ReadData",
        [0x90, 0x8D | 0x3D, ..] => "WriteData",
        [0x90, 0xAB | 0xBB, ..] => "ReadRecords",
        [0x90, 0x8B | 0x3B, ..] => "WriteRecord",
        [0x90, 0xC8, ..] => "CommitReaderID",
        [0x90, 0xC7, ..] => COMMIT,
        _ => "another command",
    };
    name.to_owned()
}

/// The one exchange that a DESFire transaction hangs on.
pub(crate) const COMMIT: &str = "CommitTransaction";
