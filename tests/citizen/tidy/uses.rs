//! Which keys the sources use. Most are written out. Some are put together; each way of doing so is a rule here, so
//! that a new way is met by a failing test and not by a key on a citizen's screen.

use super::{files_ending, read};
use std::collections::BTreeSet;

/// The crates that say words to citizens.
const SPEAKING: &[&str] = &["session", "documents", "locale", "kiosk"];

/// Where a key in the sources is only the stem: the start of a region (to its closing bracket), what is added to
/// each key in it, and why. An empty addition is the stem itself.
pub(super) const STEMS: &[(&str, &[&str], &str)] = &[
    ("words.notice(", &["-title", "-text"], "Words::notice makes a title and a text"),
    ("tile(", &["", "-hint"], "a tile has a hint"),
    ("busy(", &["", "-lead"], "a screen that waits has a lead"),
    (
        "let (key, picture) = match session.till.progress {",
        &["", "-lead"],
        "the key of a waiting screen, chosen before",
    ),
    (
        "let (key, picture) = if present { (key, picture) } else {",
        &["", "-lead"],
        "the key of a waiting screen, when the card is away",
    ),
    (
        "fn printing(session: &Session, words: &Words, is_document: bool) -> Screen {",
        &["", "-lead"],
        "as busy, for paper",
    ),
    (
        "let (key, picture) = match (session.card_in_tray, session.paper_out) {",
        &["", "-lead"],
        "what still lies there when a visit ends",
    ),
    ("away(", &["", "-lead"], "the key of a waiting screen, when the card is away"),
    (
        "fn tray_trouble(session: &Session) -> Option<(&'static str, Picture)> {",
        &["", "-lead"],
        "why the card cannot be read",
    ),
    (
        "fn why_covered(session: &Session) -> (&'static str, Option<Picture>) {",
        &["", "-lead"],
        "what lies over a covered screen",
    ),
    (
        "fn words_of(code: FailureCode, amount: Option<Cents>) -> &'static str {",
        &["-heading", "-lead", "-do", "-otherwise"],
        "trouble in its order",
    ),
    (
        "let key = if is_payment_back(session, code) {",
        &["-heading", "-lead", "-do", "-otherwise"],
        "trouble that is over",
    ),
    (
        "else if session.mended && documents::way_back(session, code).is_some() {",
        &["-heading", "-lead", "-do", "-otherwise"],
        "trouble that is over",
    ),
    ("paged(", &["-heading", "-empty"], "a list has a heading, and words for being empty"),
];

/// Keys with a gap: what fills it, what is added, and why.
pub(super) const GAPS: &[(&str, Filling, &[&str], &str)] = &[
    ("help-{area}-first", Filling::HelpAreas, &[""], "each place has a help"),
    ("help-{area}-then", Filling::HelpAreas, &[""], "each place has a help"),
    ("document-{name}", Filling::Documents, &["", "-hint"], "the menu of documents"),
    ("document-{}", Filling::Documents, &[""], "why the PIN is asked"),
    ("document-{}-question", Filling::Documents, &[""], "before it is printed"),
    ("document-{}-after", Filling::Documents, &[""], "after it is printed"),
    ("city-service-{}", Filling::Services, &[""], "the city's services are data"),
    ("city-service-{}-hint", Filling::Services, &[""], "the city's services are data"),
];

/// Ids of buttons that begin like a key.
const IDS: &[&str] = &["paper-changed"];

/// Additions written as `{key}-…`: they belong to the rules above.
const ADDITIONS: &[&str] = &["-title", "-text", "-hint", "-lead", "-heading", "-do", "-otherwise", "-empty"];

/// What fills the gap of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Filling {
    /// The areas that `fn help` chooses from.
    HelpAreas,
    /// The kinds of documents in a city pack.
    Documents,
    /// The ids of services in a city pack.
    Services,
}

/// What the gaps are filled with.
pub(super) struct Fillings {
    pub(super) help_areas: Vec<String>,
    pub(super) documents: Vec<String>,
    pub(super) services: Vec<String>,
}

impl Fillings {
    fn of(&self, filling: Filling) -> &[String] {
        match filling {
            Filling::HelpAreas => &self.help_areas,
            Filling::Documents => &self.documents,
            Filling::Services => &self.services,
        }
    }
}

/// The keys that sources use, and what is wrong with the rules.
#[derive(Debug, Default)]
pub(super) struct Uses {
    pub(super) keys: BTreeSet<String>,
    pub(super) complaints: Vec<String>,
}

/// The sources that speak, without their tests: path and text.
pub(super) fn speaking_sources() -> Vec<(String, String)> {
    let is_speaking = |path: &String| {
        let is_test = path.ends_with("/tests.rs") || path.contains("/tests/");
        SPEAKING.iter().any(|name| path.starts_with(&format!("crates/{name}/src/"))) && !is_test
    };
    let sources = files_ending(&[".rs"]).into_iter().filter(is_speaking);
    let sources = sources.map(|path| (without_tests(&read(&path)), path));
    sources.map(|(text, path)| (path, text)).collect()
}

fn without_tests(source: &str) -> String {
    let code = source.split("#[cfg(test)]").next().unwrap_or_default();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| format!("{line}\n")).collect()
}

/// The areas `fn help` chooses from.
pub(super) fn help_areas(sources: &[(String, String)]) -> Vec<String> {
    let region =
        sources.iter().find_map(|(_, text)| regions(text, "let area = match &session.place {").into_iter().next());
    region.map(|region| strings(&region).iter().map(|text| (*text).to_owned()).collect()).unwrap_or_default()
}

/// Every key the sources use, given the areas that keys begin with.
pub(super) fn uses(sources: &[(String, String)], areas: &BTreeSet<String>, fillings: &Fillings) -> Uses {
    let mut uses = Uses::default();
    let mut met = BTreeSet::new();
    for (path, text) in sources {
        let mut rest = text.clone();
        for (start, additions, _) in STEMS {
            for region in regions(text, start) {
                for stem in strings(&region).into_iter().filter(|string| is_key(string, areas)) {
                    met.insert(*start);
                    uses.keys.extend(additions.iter().map(|addition| format!("{stem}{addition}")));
                }
                rest = rest.replace(&region, "");
            }
        }
        for string in strings(&rest) {
            if is_key(string, areas) {
                uses.keys.insert(string.to_owned());
            } else if let Some((gap, filling, additions, _)) = GAPS.iter().find(|(gap, ..)| *gap == string) {
                met.insert(*gap);
                for fill in fillings.of(*filling) {
                    let name = &gap[gap.find('{').unwrap_or(0)..=gap.find('}').unwrap_or(0)];
                    uses.keys.extend(additions.iter().map(|addition| gap.replace(name, fill) + addition));
                }
            } else if is_key_with_gap(string, areas) && !is_addition(string) {
                uses.complaints
                    .push(format!("{path}: \"{string}\": no rule in tests/citizen/tidy/uses.rs says what it becomes"));
            }
        }
    }
    let rules = STEMS.iter().map(|(start, ..)| *start).chain(GAPS.iter().map(|(gap, ..)| *gap));
    uses.complaints.extend(
        rules.filter(|rule| !met.contains(rule)).map(|rule| format!("the rule `{rule}` meets nothing any more")),
    );
    uses
}

/// `area-…`, all in the letters of a key.
fn is_key(string: &str, areas: &BTreeSet<String>) -> bool {
    let area = string.split_once('-').map(|(area, _)| area);
    area.is_some_and(|area| areas.contains(area))
        && !string.ends_with('-')
        && !IDS.contains(&string)
        && string.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

fn is_key_with_gap(string: &str, areas: &BTreeSet<String>) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '{' | '}');
    let begins = string.split_once('-').is_some_and(|(area, _)| areas.contains(area) || area.starts_with('{'));
    string.contains('{') && string.chars().all(fits) && begins
}

fn is_addition(string: &str) -> bool {
    string.split_once('}').is_some_and(|(before, after)| before == "{key" && ADDITIONS.contains(&after))
}

/// The pieces of source that begin with `start`, whose last character opens a bracket, to the bracket that closes it.
fn regions(text: &str, start: &str) -> Vec<String> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let begins = text.match_indices(start).map(|(at, _)| at);
    // `fn busy(` is the maker, `tile(` is not the end of `top_up_tile(`.
    let begins = begins.filter(|at| !text[..*at].ends_with("fn ") && !text[..*at].ends_with(is_word));
    let ends = begins.filter_map(|at| {
        let mut depth = 0_usize;
        let open = at + start.len() - 1;
        let end = text[open..].char_indices().find_map(|(offset, c)| {
            match c {
                '(' | '{' | '[' => depth += 1,
                ')' | '}' | ']' => depth -= 1,
                _ => {}
            }
            (depth == 0).then_some(open + offset)
        })?;
        Some(text[at..=end].to_owned())
    });
    ends.collect()
}

/// The string literals of a piece of source.
fn strings(text: &str) -> Vec<&str> {
    // No key holds a quotation mark, and none of the speaking sources' character literals do.
    text.split('"').skip(1).step_by(2).collect()
}

#[test]
fn stems_gaps_and_plain_keys_are_found() {
    let source = "words.text(\"home-x\"); words.notice(Icon::A, \"notice-b\", None, &[(\"as-of\", f(x))]); format!(\"help-{area}-first\"); \"other-y\"";
    let areas: BTreeSet<String> = ["home", "notice", "help"].map(str::to_owned).into();
    let fillings = Fillings { help_areas: vec!["pin".into()], documents: Vec::new(), services: Vec::new() };
    let found = uses(&[("a.rs".into(), source.into())], &areas, &fillings);
    let keys: Vec<&str> = found.keys.iter().map(String::as_str).collect();
    assert_eq!(keys, ["help-pin-first", "home-x", "notice-b-text", "notice-b-title"]);
    assert!(found.complaints.iter().any(|complaint| complaint.contains("paged(")), "a rule without a use is stale");
    let gap = uses(&[("a.rs".into(), "format!(\"home-{x}-new\")".into())], &areas, &fillings);
    assert!(gap.complaints.iter().any(|complaint| complaint.contains("home-{x}-new")), "an unknown gap is noticed");
}

#[test]
fn a_region_ends_with_its_bracket_and_not_in_a_longer_name() {
    assert_eq!(regions("fn tile(a) { top_up_tile(b); tile(c, (d), [e]); f }", "tile("), ["tile(c, (d), [e])"]);
}
