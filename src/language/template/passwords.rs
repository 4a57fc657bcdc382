//! `lookup('password', 'FILE length=20 chars=ascii_letters,digits')`: made once, kept in a file on the controller.

use super::args::Args;
use super::convert::{to_text, wrong};
use minijinja::{Error, Value};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// The password that the file holds; a new one if there is no file yet.
pub(super) fn password(args: &Args, term: &str) -> Result<Value, Error> {
    let mut words = term.split_whitespace();
    let path = super::filters::paths::expand_user(words.next().unwrap_or_default());
    let mut given: Vec<(String, String)> =
        words.filter_map(|word| word.split_once('=')).map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    for (name, value) in args.take_named() {
        let text = match value.as_str() {
            None if name == "chars" => value.try_iter()?.map(|part| part.to_string()).collect::<Vec<_>>().join(","),
            _ => to_text(value)?,
        };
        given.push((name.clone(), text));
    }
    let option = |name: &str| given.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    if option("encrypt").is_some() {
        return Err(wrong("`lookup('password')` with `encrypt` is not supported: hash the password on the host"));
    }
    let length =
        option("length").unwrap_or("20").parse().map_err(|_| wrong("`length` of a password is a whole number"))?;
    let letters = letters(option("chars").unwrap_or("ascii_letters,digits,.,:-_"));
    if path == "/dev/null" {
        return fresh(length, &letters).map(Value::from);
    }
    let path = Path::new(&path);
    let failed = |error: std::io::Error| wrong(format!("`lookup('password')`: {}: {error}", path.display()));
    match std::fs::read_to_string(path) {
        Ok(text) => {
            let line = text.lines().next().unwrap_or_default();
            let password = line.split_once(" salt=").map_or(line, |(password, _)| password);
            return Ok(Value::from(password));
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let password = fresh(length, &letters)?;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    writeln!(file, "{password}").map_err(failed)?;
    Ok(Value::from(password))
}

/// Python's names of sets of characters; anything else stands for itself.
fn letters(chars: &str) -> Vec<char> {
    let mut out = Vec::new();
    for part in chars.replace(",,", ",\u{0}").split(',') {
        match part {
            "ascii_letters" => out.extend(('a'..='z').chain('A'..='Z')),
            "ascii_lowercase" => out.extend('a'..='z'),
            "ascii_uppercase" => out.extend('A'..='Z'),
            "digits" => out.extend('0'..='9'),
            "hexdigits" => out.extend(('0'..='9').chain('a'..='f').chain('A'..='F')),
            "octdigits" => out.extend('0'..='7'),
            "punctuation" => out.extend("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~".chars()),
            other => out.extend(other.replace('\u{0}', ",").chars()),
        }
    }
    out.sort_unstable();
    out.dedup();
    out
}

fn fresh(length: usize, letters: &[char]) -> Result<String, Error> {
    if letters.is_empty() || letters.len() > 256 || length > 4096 {
        return Err(wrong("a password needs some characters to choose from and at most 4096 places"));
    }
    let mut out = String::new();
    // Bytes past the last whole multiple would favour the first letters.
    let fair = 256 - 256 % letters.len();
    while out.chars().count() < length {
        let mut bytes = [0u8; 64];
        getrandom::fill(&mut bytes).map_err(|error| wrong(format!("no random numbers: {error}")))?;
        let picked = bytes.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < fair);
        let room = length - out.chars().count();
        out.extend(picked.take(room).map(|byte| letters[byte % letters.len()]));
    }
    Ok(out)
}
