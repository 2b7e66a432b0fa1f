//! Our own computing: how long a tap or a credit takes, without the time in which the card thinks.

use super::desk::{Desk, Kind};
use std::time::{Duration, Instant};
use testbed::StreetError;

/// Taps or credits before any is counted.
const WARM_UP: usize = 50;

/// Nanoseconds of each tap: from the connection to everything known.
pub(super) fn taps(kind: Kind, count: usize) -> Result<Vec<u64>, StreetError> {
    let mut desk = Desk::with(kind)?;
    let mut all = Vec::with_capacity(WARM_UP + count);
    for _ in 0..WARM_UP + count {
        let near = desk.lay()?;
        let (opened, nanos) = timed(&mut desk, |desk| desk.open(near))?;
        drop(opened);
        all.push(nanos);
    }
    Ok(all.split_off(WARM_UP))
}

/// Nanoseconds of each credit of an opened card: from the selection to the value read back. For a Classic card what
/// central computes is included.
pub(super) fn credits(kind: Kind, count: usize) -> Result<Vec<u64>, StreetError> {
    let mut desk = Desk::with(kind)?;
    let near = desk.lay()?;
    let (mut card, _) = desk.open(near)?;
    let mut all = Vec::with_capacity(WARM_UP + count);
    for _ in 0..WARM_UP + count {
        all.push(timed(&mut desk, |desk| desk.credit(&mut card))?.1);
    }
    Ok(all.split_off(WARM_UP))
}

fn timed<R>(
    desk: &mut Desk,
    errand: impl FnOnce(&mut Desk) -> Result<R, StreetError>,
) -> Result<(R, u64), StreetError> {
    desk.carried.borrow_mut().inside = Duration::ZERO;
    let begun = Instant::now();
    let result = errand(desk)?;
    let own = begun.elapsed().saturating_sub(desk.carried.borrow().inside);
    Ok((result, u64::try_from(own.as_nanos()).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tap_and_credit_is_counted_but_the_first() {
        for kind in Kind::ALL {
            for measured in [taps(kind, 3).unwrap(), credits(kind, 3).unwrap()] {
                assert_eq!(measured.len(), 3, "{kind:?}");
                assert!(measured.iter().all(|&nanos| nanos > 0), "{kind:?}: {measured:?}");
            }
        }
    }
}
