//! What a run prints: one table for times, one line for each other mark. It judges nothing.

/// The head of a table of times.
pub(crate) fn head() {
    println!("{:<46} {:>5} {:>9} {:>9} {:>9} {:>9}", "milliseconds", "runs", "median", "p95", "p99", "max");
}

/// One line of it, from microseconds.
#[expect(clippy::cast_precision_loss, reason = "microseconds of a bench are far below 2^52")]
pub(crate) fn times(name: &str, mut micros: Vec<u64>) {
    micros.sort_unstable();
    let at = |share: usize| micros.get((micros.len() * share / 100).min(micros.len().saturating_sub(1)));
    let ms = |value: Option<&u64>| value.map_or_else(String::new, |value| format!("{:.1}", *value as f64 / 1_000.0));
    let (runs, most) = (micros.len(), micros.last());
    println!("{name:<46} {runs:>5} {:>9} {:>9} {:>9} {:>9}", ms(at(50)), ms(at(95)), ms(at(99)), ms(most));
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
