//! Differences for people: one line each, or unified with `--diff`.

use super::look::{self, Look};
use super::show::clean;
use crate::base::Diff;
use similar::TextDiff;

/// Lines around a change.
const CONTEXT: usize = 3;
/// How many differences stand on a step's line, and how long each may be.
const SUMMARY: usize = 3;
const COLUMNS: usize = 100;

/// `mode 0755 -> 0700, owner root -> geth`.
pub fn summary(diffs: &[Diff]) -> String {
    let short = |diff: &Diff| {
        let text = clean(&diff.to_string());
        let mut lines = text.lines();
        let first = lines.next().unwrap_or_default();
        look::cut(&if lines.next().is_some() { format!("{first} …") } else { first.to_owned() }, COLUMNS)
    };
    let mut parts: Vec<_> = diffs.iter().take(SUMMARY).map(short).collect();
    if diffs.len() > SUMMARY {
        parts.push(format!("and {} more", diffs.len() - SUMMARY));
    }
    parts.join(", ")
}

/// A text's difference with context; empty for differences that their one line shows whole.
pub fn unified(diff: &Diff, look: &Look) -> String {
    let Diff::Text { name, before, after } = diff else { return String::new() };
    let side = |text: &Option<String>| if text.is_some() { name.clone() } else { format!("{name} (absent)") };
    let (old, new) = (before.as_deref().unwrap_or(""), after.as_deref().unwrap_or(""));
    let text_diff = TextDiff::from_lines(old, new);
    let text = text_diff
        .unified_diff()
        .context_radius(CONTEXT)
        .header(&format!("before: {}", side(before)), &format!("after: {}", side(after)))
        .to_string();
    let paint = |(number, line): (usize, &str)| {
        let style = match line.as_bytes().first() {
            _ if number < 2 => look::STRONG,
            Some(b'+') => look::OK,
            Some(b'-') => look::FAILED,
            Some(b'@') => look::SKIPPED,
            _ => return clean(line) + "\n",
        };
        look.paint(style, &clean(line)) + "\n"
    };
    text.lines().enumerate().map(paint).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::look::PLAIN;

    #[test]
    fn a_text_is_shown_as_a_unified_diff() {
        let diff = Diff::text("/etc/motd", Some("one\ntwo\nthree\n".into()), Some("one\n2\nthree".into()));
        insta::assert_snapshot!(unified(&diff, &PLAIN), @r"
        --- before: /etc/motd
        +++ after: /etc/motd
        @@ -1,3 +1,3 @@
         one
        -two
        -three
        +2
        +three
        \ No newline at end of file
        ");
    }

    #[test]
    fn a_new_file_is_compared_with_nothing() {
        insta::assert_snapshot!(unified(&Diff::text("/a", None, Some("x\n".into())), &PLAIN), @r"
        --- before: /a (absent)
        +++ after: /a
        @@ -0,0 +1 @@
        +x
        ");
    }

    #[test]
    fn many_differences_are_summed_up() {
        let diffs: Vec<_> = ["a", "b", "c", "d", "e"].map(|name| Diff::value(name, 1, 2)).into();
        assert_eq!(summary(&diffs), "a 1 -> 2, b 1 -> 2, c 1 -> 2, and 2 more");
        assert_eq!(summary(&[Diff::action("run: set -e\nmake")]), "run: set -e …");
    }
}
