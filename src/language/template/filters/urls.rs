//! Filters on URLs.

use super::super::Callable;
use super::super::args::{Args, subject_text};
use super::super::convert::wrong;
use super::tables::pairs;
use minijinja::value::ValueKind;
use minijinja::{Error, State, Value};
use std::fmt::Write as _;

pub(super) const FILTERS: &[(&str, Callable)] =
    &[("urlencode", urlencode), ("urldecode", urldecode), ("urlsplit", urlsplit)];

fn encoded(text: &str, safe: &str, plus: bool) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        let letter = char::from(byte);
        if letter.is_ascii_alphanumeric() || "_.-~".contains(letter) || safe.contains(letter) {
            out.push(letter);
        } else if plus && letter == ' ' {
            out.push('+');
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn urlencode(_: &mut State, args: &Args) -> Result<Value, Error> {
    let value = args.subject();
    let pair = |key: &Value, value: &Value| -> Result<String, Error> {
        Ok(format!("{}={}", encoded(&subject_text(key)?, "", true), encoded(&subject_text(value)?, "", true)))
    };
    let parts: Vec<String> = match value.kind() {
        ValueKind::Map => {
            pairs(&value, args.name)?.iter().map(|(key, value)| pair(key, value)).collect::<Result<_, _>>()?
        }
        ValueKind::Seq | ValueKind::Iterable => args
            .items()?
            .iter()
            .map(|item| pair(&item.get_item_by_index(0)?, &item.get_item_by_index(1)?))
            .collect::<Result<_, _>>()?,
        _ => return Ok(Value::from(encoded(&args.text()?, "/", false))),
    };
    Ok(Value::from(parts.join("&")))
}

fn urldecode(_: &mut State, args: &Args) -> Result<Value, Error> {
    let text = args.text()?;
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let escape = text.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (bytes[at], escape) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 2;
            }
            (b'+', _) => out.push(b' '),
            (byte, _) => out.push(byte),
        }
        at += 1;
    }
    Ok(Value::from(String::from_utf8_lossy(&out).into_owned()))
}

fn urlsplit(_: &mut State, args: &Args) -> Result<Value, Error> {
    let url = args.text()?;
    let (rest, fragment) = url.split_once('#').unwrap_or((&url, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (scheme, rest) = match rest.split_once(':') {
        Some((scheme, rest))
            if scheme.starts_with(|letter: char| letter.is_ascii_alphabetic())
                && scheme.chars().all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter)) =>
        {
            (scheme.to_lowercase(), rest)
        }
        _ => (String::new(), rest),
    };
    let (netloc, path) = match rest.strip_prefix("//") {
        Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
        None => ("", rest),
    };
    let (user, host) = netloc.rsplit_once('@').map_or((None, netloc), |(user, host)| (Some(user), host));
    let (name, password) = match user.map(|user| user.split_once(':')) {
        Some(Some((name, password))) => (Some(name), Some(password)),
        Some(None) => (user, None),
        None => (None, None),
    };
    let (host, port) = match (host.strip_prefix('['), host.rsplit_once(':')) {
        (Some(inner), _) => {
            let (host, rest) = inner.split_once(']').unwrap_or((inner, ""));
            (host, rest.strip_prefix(':'))
        }
        (None, Some((host, port))) => (host, Some(port)),
        (None, None) => (host, None),
    };
    let text = |value: Option<&str>| value.map_or_else(|| Value::from(()), Value::from);
    let port = match port {
        Some(port) if !port.is_empty() => port
            .parse::<u16>()
            .map(Value::from)
            .map_err(|_| wrong(format!("the port `{port}` is not a port number")))?,
        _ => Value::from(()),
    };
    let parts = [
        ("fragment", Value::from(fragment)),
        ("hostname", text(Some(host.to_lowercase().as_str()).filter(|host| !host.is_empty()))),
        ("netloc", Value::from(netloc)),
        ("password", text(password)),
        ("path", Value::from(path)),
        ("port", port),
        ("query", Value::from(query)),
        ("scheme", Value::from(scheme)),
        ("username", text(name)),
    ];
    match args.str(0, "query")? {
        Some(wanted) => parts
            .into_iter()
            .find(|(name, _)| *name == wanted)
            .map(|(_, value)| value)
            .ok_or_else(|| wrong(format!("`urlsplit` has no part `{wanted}`: it is one of fragment, hostname, netloc, password, path, port, query, scheme, username"))),
        None => Ok(Value::from_pairs(parts)),
    }
}
