//! Regular expressions as Python, and so every playbook, writes them.

use super::Failure;
use super::failure::Result;
use fancy_regex::{Captures, Regex};

/// How a pattern is to be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flags {
    /// `^` and `$` match at each line (`re.MULTILINE`).
    pub multiline: bool,
    /// `.` matches newlines, too (`re.DOTALL`).
    pub dot_all: bool,
    /// `re.IGNORECASE`
    pub ignore_case: bool,
}

/// Compiles a pattern; the failure names it.
pub fn compile(pattern: &str, flags: Flags) -> Result<Regex> {
    let letters: String = [(flags.multiline, 'm'), (flags.dot_all, 's'), (flags.ignore_case, 'i')]
        .iter()
        .filter_map(|(on, letter)| on.then_some(*letter))
        .collect();
    let prefix = if letters.is_empty() { String::new() } else { format!("(?{letters})") };
    let lines = flags.multiline || sets_multiline(pattern);
    Regex::new(&format!("{prefix}{}", translate(pattern, lines))).map_err(|error| {
        Failure::new(format!("the regular expression `{pattern}` is wrong: {error}"))
            .help("in YAML, put it into single quotes, so that backslashes stay as they are")
    })
}

/// Where our syntax and Python's differ: Python takes `{` and, in a class, `[`, `&&`, `--`, `~~` as plain characters,
/// `\Z` is the very end, `\<`, `\>` are just `<`, `>`, and `$` also stands before a last newline.
fn translate(pattern: &str, multiline: bool) -> String {
    let letters: Vec<char> = pattern.chars().collect();
    let mut done = String::with_capacity(pattern.len() + 8);
    let mut class_start = None;
    let mut at = 0;
    while let Some(&letter) = letters.get(at) {
        let next = letters.get(at + 1).copied();
        match (letter, class_start) {
            ('\\', _) => {
                match next {
                    Some('Z') => done.push_str("\\z"),
                    Some(plain @ ('<' | '>')) => done.push(plain),
                    Some(next) => done.extend(['\\', next]),
                    None => done.push('\\'),
                }
                at += 1;
            }
            ('[', None) => {
                done.push('[');
                if next == Some('^') {
                    done.push('^');
                    at += 1;
                }
                class_start = Some(at + 1);
            }
            (']', Some(start)) if at == start => done.push_str("\\]"),
            (']', Some(_)) => {
                done.push(']');
                class_start = None;
            }
            ('[' | '&' | '~', Some(_)) => done.extend(['\\', letter]),
            ('-', Some(_)) if next == Some('-') => done.push_str("\\-"),
            ('$', None) if !multiline => done.push_str("(?=\\n?\\z)"),
            ('{', None) if !is_count(&letters[at + 1..]) => done.push_str("\\{"),
            _ => done.push(letter),
        }
        at += 1;
    }
    done
}

/// Whether a pattern begins as `(?m)` or `(?im)` does: Python takes flags for all of it nowhere else.
fn sets_multiline(pattern: &str) -> bool {
    let flags = pattern.strip_prefix("(?").and_then(|rest| rest.split_once(')'));
    flags.is_some_and(|(flags, _)| flags.contains('m') && flags.chars().all(|flag| flag.is_ascii_lowercase()))
}

/// Whether `2}`, `2,}`, `,2}` or `2,3}` follows.
fn is_count(rest: &[char]) -> bool {
    let Some(end) = rest.iter().position(|letter| *letter == '}') else { return false };
    let inner = &rest[..end];
    inner.iter().any(char::is_ascii_digit)
        && inner.iter().all(|letter| letter.is_ascii_digit() || *letter == ',')
        && inner.iter().filter(|letter| **letter == ',').count() <= 1
}

/// Fills `\1`, `\g<1>`, `\g<name>`, `\n` and `\t` into a replacement, as `Match.expand` does.
pub fn expand(replacement: &str, captures: &Captures<str>) -> Result<String> {
    let mut done = String::new();
    let mut letters = replacement.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            done.push(letter);
            continue;
        }
        match letters.next() {
            Some(digit) if digit.is_ascii_digit() => {
                let mut number = digit.to_string();
                number.extend(letters.next_if(char::is_ascii_digit));
                done.push_str(group(captures, &number)?);
            }
            Some('g') if letters.next_if_eq(&'<').is_some() => {
                let name: String = letters.by_ref().take_while(|letter| *letter != '>').collect();
                done.push_str(group(captures, &name)?);
            }
            Some('n') => done.push('\n'),
            Some('t') => done.push('\t'),
            Some('r') => done.push('\r'),
            Some('\\') | None => done.push('\\'),
            Some(other) => done.extend(['\\', other]),
        }
    }
    Ok(done)
}

/// The text of a group; one that took no part in the match is empty.
fn group<'a>(captures: &'a Captures<str>, name: &str) -> Result<&'a str> {
    let found = match name.parse::<usize>() {
        Ok(number) if number >= captures.len() => {
            return Err(Failure::new(format!(
                "the replacement uses group {number}, but the regular expression has {} groups",
                captures.len() - 1
            )));
        }
        Ok(number) => captures.get(number),
        Err(_) => captures.name(name),
    };
    Ok(found.map_or("", |found| found.as_str()))
}

/// Whether it matches somewhere; a pattern that takes too many steps is a failure.
pub fn is_match(regex: &Regex, text: &str) -> Result<bool> {
    regex.is_match(text).map_err(gave_up)
}

/// The first match with its groups.
pub fn captures<'t>(regex: &Regex, text: &'t str) -> Result<Option<Captures<'t, str>>> {
    regex.captures(text).map_err(gave_up)
}

/// Replaces the first matches, so many at the most, and counts them, as `re.subn` does.
pub fn replace(regex: &Regex, text: &str, replacement: &str, most: usize) -> Result<(String, usize)> {
    let (mut done, mut from, mut count) = (String::new(), 0, 0);
    for found in regex.captures_iter(text).take(most) {
        let found = found.map_err(gave_up)?;
        let Some(whole) = found.get(0) else { continue };
        done.push_str(&text[from..whole.start()]);
        done.push_str(&expand(replacement, &found)?);
        from = whole.end();
        count += 1;
    }
    done.push_str(&text[from..]);
    Ok((done, count))
}

fn gave_up(error: fancy_regex::Error) -> Failure {
    Failure::new(format!("the regular expression could not be searched for: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        is_match(&compile(pattern, Flags::default()).unwrap(), text).unwrap()
    }

    #[test]
    fn patterns_mean_what_they_mean_in_python() {
        for (pattern, text) in [
            (r"^a{2,3}$", "aaa"),
            (r"{{ x }}", "{{ x }}"),
            (r"x{,y}", "x{,y}"),
            (r"[[]a[]]", "[a]"),
            (r"^[]x]+$", "]x]"),
            (r"[^]]", "a"),
            (r"[a&&b]", "&"),
            (r"[!--/]+", "-"),
            (r"\<b\>", "<b>"),
            (r"end\Z", "the end"),
            (r"end$", "the end\n"),
            (r"(?m)^the$", "the\nend"),
            (r"(?P<word>\w+) (?P=word)", "the the"),
            (r"^(?!#)\s*Port(?<!x)", " Port 22"),
            (r"(?i)LISTEN", "listen"),
            (r"\/etc\/hosts\-\_\:\@", "/etc/hosts-_:@"),
        ] {
            assert!(matches(pattern, text), "{pattern} on {text}");
        }
        assert!(!matches("^[a&&b]$", "a&b"));
        assert!(!matches("the$", "the\nend"));
        let failure = compile("(", Flags::default()).unwrap_err();
        assert!(failure.message.contains("`(`"), "{failure}");
    }

    #[test]
    fn replacements_are_filled_in() {
        let regex = compile(r"(?P<key>\w+)=(\d)?", Flags::default()).unwrap();
        let replaced = replace(&regex, "a=1 b=", r"\g<key>:\2:\g<1>:$1\\\n", 9).unwrap();
        assert_eq!(replaced, ("a:1:a:$1\\\n b::b:$1\\\n".into(), 2));
        assert!(replace(&regex, "a=1", r"\3", 9).unwrap_err().message.contains("has 2 groups"));
    }
}
