//! How a recorded view is written down: what fits stands on one line, so that a diff can be read.

/// Columns a line may have.
const WIDTH: usize = 140;

/// Pretty-printed JSON with every object and list that fits put on one line.
pub(super) fn folded(pretty: &str) -> String {
    let lines: Vec<&str> = pretty.lines().collect();
    let mut text = String::new();
    fold(&lines, &mut text);
    text
}

fn fold(lines: &[&str], text: &mut String) {
    let mut rest = lines;
    while let Some((first, below)) = rest.split_first() {
        let indent = first.len() - first.trim_start().len();
        let opens = first.ends_with(['{', '[']);
        // The line that closes it is the next one as far left.
        let close = below.iter().position(|line| opens && line.len() - line.trim_start().len() == indent);
        let Some(close) = close else {
            text.push_str(first);
            text.push('\n');
            rest = below;
            continue;
        };
        let (inside, after) = below.split_at(close);
        let joined = inside.iter().map(|line| line.trim_start()).collect::<Vec<_>>().join(" ");
        let one_line = format!("{first} {joined} {}", after[0].trim_start());
        let fits = one_line.chars().count() <= WIDTH;
        if fits {
            text.push_str(&one_line);
        } else {
            text.push_str(first);
            text.push('\n');
            fold(inside, text);
            text.push_str(after[0]);
        }
        text.push('\n');
        rest = &after[1..];
    }
}

#[test]
fn what_fits_stands_on_one_line_and_stays_the_same_value() {
    let long = "x".repeat(WIDTH);
    let value = serde_json::json!({ "short": { "a": 1, "b": ["{", "["] }, "long": { "text": long, "none": [] } });
    let text = folded(&serde_json::to_string_pretty(&value).unwrap());
    assert!(text.contains(r#"  "short": { "a": 1, "b": [ "{", "[" ] }"#), "{text}");
    assert_eq!(text.lines().count(), 7, "{text}");
    assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
}
