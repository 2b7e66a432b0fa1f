//! Where the words on paper come from.

/// The words of one language. Keys are those of `locales/<language>/paper.ftl`; a city's own words are already in
/// the data.
pub trait Words {
    /// The language as a BCP 47 tag, written into the file (ISO 32000-1, 14.9.2).
    fn language(&self) -> &str;

    /// The text of `key`, with its arguments filled in.
    fn text(&self, key: &str, args: &[(&str, &str)]) -> String;
}
