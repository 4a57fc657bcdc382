//! Shell wildcards, as `fnmatch` has them: `*`, `?`, `[a-z]`, `[!a-z]`.

use super::failure::Result;
use super::python_regex::{self, Flags};
use fancy_regex::Regex;

/// A regular expression that matches whole names as the wildcard does; `*` matches slashes, too.
pub fn compile(wildcard: &str) -> Result<Regex> {
    let mut done = String::from("^(?:");
    let mut rest = wildcard;
    while let Some(letter) = rest.chars().next() {
        rest = &rest[letter.len_utf8()..];
        match letter {
            '*' => done.push_str(".*"),
            '?' => done.push('.'),
            '[' => match class(rest) {
                Some((negated, inner, after)) => {
                    done.push_str(if negated { "[^" } else { "[" });
                    done.push_str(&inner.replace('\\', "\\\\"));
                    done.push(']');
                    rest = after;
                }
                None => done.push_str("\\["),
            },
            plain => done.push_str(&fancy_regex::escape(plain.encode_utf8(&mut [0; 4]))),
        }
    }
    done.push_str(")\\Z");
    python_regex::compile(&done, Flags { dot_all: true, ..Flags::default() })
}

/// Splits what follows `[` at its end: whether `!` negates it, the inner part, what comes after `]`.
fn class(rest: &str) -> Option<(bool, &str, &str)> {
    let (negated, rest) = match rest.strip_prefix('!') {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    // A bracket that comes first is a member.
    let from = usize::from(rest.starts_with(']'));
    let end = rest[from..].find(']')? + from;
    Some((negated, &rest[..end], &rest[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_whole_names() {
        for (wildcard, name, expected) in [
            ("*.log", "a.log", true),
            ("*.log", "a.log.gz", false),
            ("UTC--*", "UTC--2024", true),
            ("a?c", "abc", true),
            ("[!a-c]x", "dx", true),
            ("[!a-c]x", "bx", false),
            ("[]]", "]", true),
            ("a[b", "a[b", true),
            ("a.c", "abc", false),
            ("(x)+{1}", "(x)+{1}", true),
        ] {
            let found = python_regex::is_match(&compile(wildcard).unwrap(), name).unwrap();
            assert_eq!(found, expected, "{wildcard} on {name}");
        }
    }
}
