//! What a plain scalar means, by the rules of YAML 1.1 as `PyYAML` has them.
//!
//! Rules: <https://yaml.org/type/bool.html>, `int.html`, `float.html`, `null.html`, as narrowed by `PyYAML`'s
//! resolver (`y` and `1e3` stay text). Dates stay text: they only ever become text again.

use crate::language::node::Data;
use std::sync::Arc;

/// Resolves an unquoted, untagged scalar.
pub fn resolve(text: &str) -> Data {
    special(text)
        .or_else(|| integer(text).map(Data::Int))
        .or_else(|| float(text).map(Data::Float))
        .unwrap_or_else(|| Data::Text(Arc::from(text)))
}

/// Null and the booleans.
pub fn special(text: &str) -> Option<Data> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Some(Data::Null),
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Some(Data::Bool(true)),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Some(Data::Bool(false)),
        _ => None,
    }
}

/// An integer: decimal, `0` octal, `0x` hexadecimal, `0b` binary, or base 60 as in `1:30`. `None` also when it does not
/// fit 64 bits: wei and addresses must not be rounded.
pub fn integer(text: &str) -> Option<i64> {
    let (sign, digits) = sign(text);
    if !digits.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let clean: String = digits.chars().filter(|&c| c != '_').collect();
    let value = if let Some(hex) = clean.strip_prefix("0x") {
        whole(hex, 16)?
    } else if let Some(binary) = clean.strip_prefix("0b") {
        whole(binary, 2)?
    } else if clean.contains(':') {
        sixties(&clean)?
    } else if clean.len() > 1 && clean.starts_with('0') {
        whole(&clean[1..], 8)?
    } else if digits.starts_with('0') && digits.len() > 1 {
        // `0_`: octal zero
        0
    } else {
        whole(&clean, 10)?
    };
    i64::try_from(sign * value).ok()
}

/// A number with a point: `1.5`, `.5`, `1.5e+3` (the exponent needs its sign), `1:30.5`, `.inf`, `.nan`.
pub fn float(text: &str) -> Option<f64> {
    if matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Some(f64::NAN);
    }
    let (sign, digits) = sign(text);
    let sign = if sign < 0 { -1.0 } else { 1.0 };
    if matches!(digits, ".inf" | ".Inf" | ".INF") {
        return Some(sign * f64::INFINITY);
    }
    let (whole, fraction) = digits.split_once('.')?;
    if let Some((minutes, seconds)) = whole.rsplit_once(':') {
        let minutes = sixties(&format!("{}:0", clean(minutes)?))?;
        let rest: f64 = format!("{}.{}", clean(seconds)?, clean_or_empty(fraction)?).parse().ok()?;
        if seconds.is_empty() || seconds.len() > 2 || rest >= 60.0 {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "a float was asked for")]
        return Some(sign * (minutes as f64 + rest));
    }
    let (fraction, exponent) = match fraction.split_once(['e', 'E']) {
        Some((fraction, exponent)) if exponent.starts_with(['+', '-']) && exponent.len() > 1 => (fraction, exponent),
        Some(_) => return None,
        None => (fraction, "+0"),
    };
    if whole.is_empty() && (fraction.is_empty() || fraction.starts_with('_') || text.len() != digits.len()) {
        return None;
    }
    if !whole.is_empty() && whole.starts_with('_') {
        return None;
    }
    if !exponent[1..].bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = format!("{}.{}e{exponent}", clean_or_empty(whole)?, clean_or_empty(fraction)?);
    number.parse::<f64>().ok().map(|value| sign * value)
}

fn sign(text: &str) -> (i128, &str) {
    match text.as_bytes().first() {
        Some(b'-') => (-1, &text[1..]),
        Some(b'+') => (1, &text[1..]),
        _ => (1, text),
    }
}

/// Digits only, or nothing: `from_str_radix` alone would take another sign.
fn whole(digits: &str, radix: u32) -> Option<i128> {
    let good = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
    good.then(|| i128::from_str_radix(digits, radix).ok()).flatten()
}

fn sixties(text: &str) -> Option<i128> {
    let mut parts = text.split(':');
    let first = parts.next()?;
    if first.starts_with('0') && first.len() > 1 {
        return None;
    }
    let mut total = whole(first, 10)?;
    for part in parts {
        let value = whole(part, 10)?;
        if value >= 60 || part.len() > 2 {
            return None;
        }
        total = total.checked_mul(60)?.checked_add(value)?;
    }
    Some(total)
}

/// Drops `_`; `None` if anything but digits and colons remains, or nothing does.
fn clean(text: &str) -> Option<String> {
    clean_or_empty(text).filter(|text| !text.is_empty())
}

fn clean_or_empty(text: &str) -> Option<String> {
    let clean: String = text.chars().filter(|&c| c != '_').collect();
    clean.chars().all(|c| c.is_ascii_digit() || c == ':').then_some(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_mean_what_they_mean_to_pyyaml() {
        // Checked against PyYAML 6.0.3; where it has integers beyond 64 bits, ours stay text.
        let cases: &[(&str, Data)] = &[
            ("yes", Data::Bool(true)),
            ("Off", Data::Bool(false)),
            ("y", Data::Text("y".into())),
            ("tRUE", Data::Text("tRUE".into())),
            ("", Data::Null),
            ("~", Data::Null),
            ("0644", Data::Int(420)),
            ("0o644", Data::Text("0o644".into())),
            ("0", Data::Int(0)),
            ("-0", Data::Int(0)),
            ("089", Data::Text("089".into())),
            ("1_000", Data::Int(1000)),
            ("+12", Data::Int(12)),
            ("-12", Data::Int(-12)),
            ("0x1F", Data::Int(31)),
            ("0b101", Data::Int(5)),
            ("12:30:45", Data::Int(45045)),
            ("1:90", Data::Text("1:90".into())),
            ("01:30", Data::Text("01:30".into())),
            ("1.5", Data::Float(1.5)),
            ("1.", Data::Float(1.0)),
            (".5", Data::Float(0.5)),
            ("-.5", Data::Text("-.5".into())),
            (".", Data::Text(".".into())),
            ("1e3", Data::Text("1e3".into())),
            ("1.5e3", Data::Text("1.5e3".into())),
            ("1.5e+3", Data::Float(1500.0)),
            ("1:30.5", Data::Float(90.5)),
            ("1.10.26", Data::Text("1.10.26".into())),
            ("-.inf", Data::Float(f64::NEG_INFINITY)),
            ("2026-01-02", Data::Text("2026-01-02".into())),
            ("9223372036854775807", Data::Int(i64::MAX)),
            ("1000000000000000000000", Data::Text("1000000000000000000000".into())),
            (
                "0xdAC17F958D2ee523a2206206994597C13D831ec7",
                Data::Text("0xdAC17F958D2ee523a2206206994597C13D831ec7".into()),
            ),
            ("-", Data::Text("-".into())),
            ("1-2", Data::Text("1-2".into())),
            ("--1", Data::Text("--1".into())),
        ];
        for (text, meaning) in cases {
            assert_eq!(&resolve(text), meaning, "{text:?}");
        }
    }
}
