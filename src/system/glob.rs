//! Shell patterns: `*`, `?`, `[a-z]`, for names and for paths on a host.

use super::System;
use crate::base::failure::Result;
use std::path::{Component, Path, PathBuf};

/// Whether the whole of `text` fits `pattern`: `*` is any text, `?` any character, `[ab]`, `[a-f]`, `[!a]` one of a set.
pub fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut read) = (0, 0);
    let mut star = None;
    while read < text.len() {
        if pattern.get(at) == Some(&'*') {
            star = Some((at, read));
            at += 1;
        } else if let Some(length) = pattern.get(at..).and_then(|rest| one(rest, text[read])) {
            at += length;
            read += 1;
        } else if let Some((stars, from)) = star {
            // The last star takes one more character.
            star = Some((stars, from + 1));
            (at, read) = (stars + 1, from + 1);
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|left| *left == '*')
}

/// How many characters of the pattern take up `character`, if the pattern begins with something that does.
fn one(pattern: &[char], character: char) -> Option<usize> {
    match pattern {
        ['?', ..] => Some(1),
        ['[', set @ ..] => {
            let (negated, set) = match set {
                ['!' | '^', rest @ ..] => (true, rest),
                _ => (false, set),
            };
            // `]` that comes first stands for itself; a `[` that is never closed does, too.
            let Some(end) = set.iter().skip(1).position(|c| *c == ']').map(|index| index + 1) else {
                return (character == '[').then_some(1);
            };
            let mut inside = &set[..end];
            let mut found = false;
            loop {
                inside = match inside {
                    [low, '-', high, rest @ ..] => {
                        found |= (*low..=*high).contains(&character);
                        rest
                    }
                    [only, rest @ ..] => {
                        found |= *only == character;
                        rest
                    }
                    [] => break,
                };
            }
            (found != negated).then_some(end + 2 + usize::from(negated))
        }
        [only, ..] => (*only == character).then_some(1),
        [] => None,
    }
}

fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

impl System {
    /// The paths that fit a pattern, sorted. A path without marks is found if it exists. Names that begin with a dot are
    /// only found by patterns that do. Folders that cannot be read hold nothing.
    pub fn glob(&self, pattern: &Path) -> Result<Vec<PathBuf>> {
        if !is_pattern(&pattern.to_string_lossy()) {
            return Ok(if self.meta(pattern)?.is_some() { vec![pattern.to_owned()] } else { Vec::new() });
        }
        let mut found = vec![PathBuf::new()];
        for part in pattern.components() {
            let text = part.as_os_str().to_string_lossy();
            found = match part {
                Component::Normal(_) if is_pattern(&text) => {
                    let mut next = Vec::new();
                    for folder in found {
                        if !self.is_folder(&folder)? {
                            continue;
                        }
                        next.extend(self.list(&folder).unwrap_or_default().into_iter().filter(|path| {
                            let name = path.file_name().unwrap_or_default().to_string_lossy();
                            fits(&text, &name) && (text.starts_with('.') || !name.starts_with('.'))
                        }));
                    }
                    next
                }
                _ => found.into_iter().map(|path| path.join(part)).collect(),
            };
        }
        let mut existing = Vec::new();
        for path in found {
            if self.meta(&path)?.is_some() {
                existing.push(path);
            }
        }
        existing.sort();
        Ok(existing)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::host_with;
    use super::*;

    #[test]
    fn a_pattern_takes_the_whole_text() {
        for (pattern, text) in [
            ("*", ""),
            ("a*c", "abbc"),
            ("a*b*c", "axbxbc"),
            ("a?c", "abc"),
            ("[a-c]x", "bx"),
            ("[!a]x", "bx"),
            ("[]]", "]"),
            ("[x", "[x"),
            ("*.service", "geth.service"),
            ("ansible_e*", "ansible_eth0"),
        ] {
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("a", "ab"), ("a*c", "abcd"), ("[a-c]", "d"), ("[!a]x", "ax"), ("?", ""), ("", "a")] {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn paths_are_found_folder_by_folder() {
        let paths = ["opt/geth-1.13/geth", "opt/geth-1.10/geth", "opt/geth-1.9/readme", "opt/.geth-0/geth"];
        let (_root, system) = host_with(&paths.map(|path| (path, "")));
        let found = system.glob(Path::new("/opt/geth-*/geth")).unwrap();
        assert_eq!(found, [Path::new("/opt/geth-1.10/geth"), Path::new("/opt/geth-1.13/geth")]);
        assert_eq!(system.glob(Path::new("/opt/geth-1.9/readme")).unwrap().len(), 1);
        assert!(system.glob(Path::new("/nope/*")).unwrap().is_empty());
    }
}
