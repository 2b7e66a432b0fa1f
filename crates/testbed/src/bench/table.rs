//! What a run prints: one table for times, one line for each other mark. It judges nothing.

/// The head of a table of times.
pub(crate) fn head() {
    head_of("milliseconds");
}

/// The head of a table of times in that unit.
pub(crate) fn head_of(unit: &str) {
    println!("{unit:<46} {:>5} {:>9} {:>9} {:>9} {:>9}", "runs", "median", "p95", "p99", "max");
}

/// One line of it, from thousandths of its unit, to a tenth of it.
pub(crate) fn times(name: &str, thousandths: Vec<u64>) {
    line(name, thousandths, 1);
}

/// One line of it, from thousandths of its unit, to a hundredth of it.
pub(crate) fn short_times(name: &str, thousandths: Vec<u64>) {
    line(name, thousandths, 2);
}

#[expect(clippy::cast_precision_loss, reason = "times of a bench are far below 2^52")]
fn line(name: &str, mut thousandths: Vec<u64>, digits: usize) {
    thousandths.sort_unstable();
    let told = |value: u64| format!("{:.digits$}", value as f64 / 1_000.0);
    let [median, p95, p99, most] =
        [50, 95, 99, 100].map(|share| at(&thousandths, share).map_or_else(String::new, told));
    println!("{name:<46} {:>5} {median:>9} {p95:>9} {p99:>9} {most:>9}", thousandths.len());
}

/// The value below which this share of a hundred lies, of sorted values.
fn at(sorted: &[u64], share: usize) -> Option<u64> {
    sorted.get((sorted.len() * share / 100).min(sorted.len().saturating_sub(1))).copied()
}

/// How one compares with another.
#[expect(clippy::cast_precision_loss, reason = "times of a bench are far below 2^52")]
pub(crate) fn ratio(name: &str, one: u64, other: u64) {
    println!("{name:<46} {:>15.2}", one as f64 / other as f64);
}

/// A measure of memory, from kilobytes.
pub(crate) fn memory(name: &str, kilobytes: u64) {
    println!("{name:<46} {:>8}.{} MB", kilobytes / 1_024, kilobytes % 1_024 * 10 / 1_024);
}

/// The middle one.
pub(crate) fn median(mut values: Vec<u64>) -> u64 {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_those_of_the_sorted_values() {
        let check = |count: u64, share, expected| {
            let sorted: Vec<u64> = (1..=count).collect();
            assert_eq!(at(&sorted, share), expected, "{count} values, {share} %");
        };
        check(300, 50, Some(151));
        check(300, 99, Some(298));
        check(300, 100, Some(300));
        check(1, 99, Some(1));
        check(0, 50, None);
    }
}
