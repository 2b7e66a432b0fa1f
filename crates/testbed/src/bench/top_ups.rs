//! What a top-up costs beside bank and card: durable commits, and our own computing with the disk's time in it. A
//! kiosk without a window, for what is painted is not the top-up's.

use crate::kiosk::number;
use crate::table;
use domain::Cents;
use payment_simulator::Answer;
use testbed::{Headless, Street, StreetConfig, StreetError, io_error};

/// What is topped up each time.
const AMOUNT: Cents = Cents(500);
/// The orders, as the configuration writes them.
const ORDERS: [&str; 3] = ["vending", "capture-first", "pre-authorise"];

/// What one top-up took.
#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    /// From the touch on "pay" to the end of the visit, thousandths of milliseconds.
    own_us: u64,
    /// Of it what the journal's commits took.
    commit_us: u64,
    /// Commits with an entry of the ledger.
    commits: u64,
}

/// Prints commits and computing of a top-up in each order. The first of each warms up and is not counted.
pub(crate) fn measure(top_ups: usize) -> Result<(), StreetError> {
    table::head();
    let mut commits = Vec::new();
    for order in ORDERS {
        let costs = costs_of(order, top_ups)?;
        let name = format!("top-up, {order}: beside bank and card");
        table::short_times(&name, costs.iter().map(|cost| cost.own_us).collect());
        table::short_times("  of it durable commits", costs.iter().map(|cost| cost.commit_us).collect());
        commits.push((order, costs.iter().map(|cost| cost.commits).max().unwrap_or_default()));
    }
    for (order, most) in commits {
        println!("durable commits of a top-up, {order}: at most {most}");
    }
    Ok(())
}

fn costs_of(order: &str, top_ups: usize) -> Result<Vec<Cost>, StreetError> {
    let folder = tempfile::Builder::new().prefix("bench").tempdir_in("/tmp").map_err(io_error("a folder"))?;
    let street = Street::start(StreetConfig::new(1, folder.path()))?;
    street.boot().amend(|text| text.replace("[payment]\n", &format!("[payment]\norder = \"{order}\"\n")))?;
    street.payment().auto_answer(Some(Answer::Approve));
    let mut kiosk = Headless::start(&street)?;
    kiosk.wait_screen("attract")?;
    let mut costs = Vec::with_capacity(top_ups);
    for round in 0..=top_ups {
        let cost = top_up(&street, &mut kiosk)?;
        if round > 0 {
            costs.push(cost);
        }
    }
    Ok(costs)
}

fn top_up(street: &Street, kiosk: &mut Headless) -> Result<Cost, StreetError> {
    street.ride(AMOUNT)?;
    street.lay_card();
    kiosk.wait_screen("home")?;
    kiosk.press("top-up")?;
    kiosk.wait_for("the amounts", |seen| seen.button("amount-500").is_some())?;
    kiosk.press("amount-500")?;
    kiosk.wait_for("five euros marked", |seen| seen.sum().get(1) == Some(&AMOUNT))?;
    let before = street.boot().log_text().len();
    kiosk.press("pay")?;
    kiosk.wait_for("the top-up's end", |seen| seen.kind() == "done")?;
    street.lift_card();
    kiosk.await_invitation()?;
    let log = street.boot().log_text();
    Ok(read(log.get(..before).unwrap_or_default(), log.get(before..).unwrap_or_default()))
}

/// From the log before the payment, and from that of the payment and what followed.
fn read(before: &str, after: &str) -> Cost {
    let own = |text: &str| text.lines().rev().find_map(|line| number(line, "own_us=")).unwrap_or_default();
    let pages = after.lines().filter(|line| number(line, "entries=").is_some_and(|entries| entries > 0));
    let pages: Vec<&str> = pages.collect();
    Cost {
        own_us: own(after).saturating_sub(own(before)),
        commit_us: pages.iter().filter_map(|line| number(line, "commit_us=")).sum(),
        commits: u64::try_from(pages.len()).unwrap_or(u64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_top_up_costs_what_the_log_says_after_the_touch() {
        let before = "painted seq=4 screen=\"amount\" paint_us=9 own_us=700\n";
        let after = "a page of the journal entries=1 commits=8 commit_us=300\n\
                     a page of the journal entries=0 commits=9 commit_us=250\n\
                     a page of the journal entries=2 commits=10 commit_us=200\n\
                     painted seq=9 screen=\"attract\" paint_us=9 own_us=2700\n";
        let cost = read(before, after);
        assert_eq!((cost.own_us, cost.commit_us, cost.commits), (2_000, 500, 2));
    }
}
