//! Filters on numbers.

use super::super::Callable;
use super::super::args::Args;
use super::super::convert::{kind_words, wrong};
use minijinja::value::ValueKind;
use minijinja::{Error, State, Value};

pub(super) const FILTERS: &[(&str, Callable)] = &[
    ("int", int),
    ("float", float),
    ("abs", abs),
    ("round", round),
    ("log", log),
    ("pow", pow),
    ("root", root),
    ("human_readable", human_readable),
    ("human_to_bytes", human_to_bytes),
    ("filesizeformat", filesizeformat),
];

fn whole(number: i128) -> Value {
    i64::try_from(number).map_or_else(|_| Value::from(number), Value::from)
}

/// Python's `int(text, base)`: prefixes and underscores too. `None` if it is no number.
fn parsed(text: &str, base: u32) -> Option<i128> {
    let text = text.trim().replace('_', "");
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(&text)),
    };
    let lower = digits.to_lowercase();
    let (base, digits) = match (base, lower.get(..2)) {
        (0 | 16, Some("0x")) => (16, &lower[2..]),
        (0 | 8, Some("0o")) => (8, &lower[2..]),
        (0 | 2, Some("0b")) => (2, &lower[2..]),
        (0, _) => (10, lower.as_str()),
        (base, _) => (base, lower.as_str()),
    };
    i128::from_str_radix(digits, base).ok().map(|number| sign * number)
}

fn int(_: &mut State, args: &Args) -> Result<Value, Error> {
    let value = args.subject();
    let default = args.get(0, "default").cloned().unwrap_or_else(|| Value::from(0));
    let base = u32::try_from(args.int(1, "base")?.unwrap_or(10)).unwrap_or(10);
    if base == 1 || base > 36 {
        return Err(wrong("the base of `int` is 0 or 2 to 36"));
    }
    if value.is_integer() {
        return Ok(value);
    }
    if let Some(text) = value.as_str() {
        // An integer over 128 bits stays the text it is: nothing is rounded.
        let digits = text.trim().trim_start_matches('-');
        if base == 10 && digits.len() > 38 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(Value::from(text.trim()));
        }
        return Ok(match parsed(text, base) {
            Some(number) => whole(number),
            None => text.trim().parse::<f64>().map_or(default, truncated),
        });
    }
    Ok(match value.kind() {
        ValueKind::Bool => Value::from(i64::from(value.is_true())),
        ValueKind::Number => truncated(f64::try_from(value)?),
        _ => default,
    })
}

#[allow(clippy::cast_possible_truncation)] // that is what is asked for
fn truncated(number: f64) -> Value {
    whole(number.trunc() as i128)
}

fn float(_: &mut State, args: &Args) -> Result<Value, Error> {
    let value = args.subject();
    let default = args.get(0, "default").cloned().unwrap_or_else(|| Value::from(0.0));
    if let Some(text) = value.as_str() {
        return Ok(text.trim().parse::<f64>().map_or(default, Value::from));
    }
    Ok(match value.kind() {
        ValueKind::Number => Value::from(f64::try_from(value)?),
        ValueKind::Bool => Value::from(if value.is_true() { 1.0 } else { 0.0 }),
        _ => default,
    })
}

fn number(args: &Args, value: &Value) -> Result<f64, Error> {
    match value.kind() {
        ValueKind::Number => f64::try_from(value.clone()),
        ValueKind::Bool => Ok(if value.is_true() { 1.0 } else { 0.0 }),
        _ => Err(wrong(format!("`{}` needs a number, not {}; use `| int` or `| float`", args.name, kind_words(value)))),
    }
}

fn abs(_: &mut State, args: &Args) -> Result<Value, Error> {
    let value = args.subject();
    if value.is_integer() {
        return Ok(whole(i128::try_from(value)?.abs()));
    }
    Ok(Value::from(number(args, &value)?.abs()))
}

fn round(_: &mut State, args: &Args) -> Result<Value, Error> {
    let value = number(args, &args.subject())?;
    let digits = i32::try_from(args.int(0, "precision")?.unwrap_or(0)).unwrap_or(0).clamp(-300, 300);
    let common = args.str(1, "method")?.is_none_or(|method| method == "common");
    if common && args.subject().is_integer() {
        if digits >= 0 {
            return Ok(args.subject());
        }
        return Ok(truncated((value / 10f64.powi(-digits)).round_ties_even() * 10f64.powi(-digits)));
    }
    let scale = 10f64.powi(digits);
    let rounded = match args.str(1, "method")?.as_deref() {
        None | Some("common") if digits >= 0 => {
            // Rust's formatting rounds the exact binary value, half to even, as Python's `round` does.
            format!("{value:.*}", usize::try_from(digits).unwrap_or(0)).parse().unwrap_or(value)
        }
        None | Some("common") => (value * scale).round_ties_even() / scale,
        Some("ceil") => (value * scale).ceil() / scale,
        Some("floor") => (value * scale).floor() / scale,
        Some(other) => return Err(wrong(format!("`round` knows common, ceil and floor, not `{other}`"))),
    };
    Ok(Value::from(rounded))
}

fn log(_: &mut State, args: &Args) -> Result<Value, Error> {
    let value = number(args, &args.subject())?;
    if value <= 0.0 {
        return Err(wrong("`log` needs a number above 0"));
    }
    let base = args.get(0, "base").map(|base| number(args, base)).transpose()?;
    Ok(Value::from(match base {
        Some(10.0) => value.log10(),
        Some(2.0) => value.log2(),
        Some(base) => value.ln() / base.ln(),
        None => value.ln(),
    }))
}

fn pow(_: &mut State, args: &Args) -> Result<Value, Error> {
    Ok(Value::from(number(args, &args.subject())?.powf(number(args, args.need(0, "exponent")?)?)))
}

fn root(_: &mut State, args: &Args) -> Result<Value, Error> {
    let value = number(args, &args.subject())?;
    let base = args.get(0, "base").map(|base| number(args, base)).transpose()?.unwrap_or(2.0);
    #[expect(clippy::float_cmp, reason = "exactly 2 has an exact way")]
    let root = if base == 2.0 { value.sqrt() } else { value.powf(1.0 / base) };
    Ok(Value::from(root))
}

const UNITS: [(&str, i32); 9] =
    [("Y", 80), ("Z", 70), ("E", 60), ("P", 50), ("T", 40), ("G", 30), ("M", 20), ("K", 10), ("", 0)];

fn human_readable(_: &mut State, args: &Args) -> Result<Value, Error> {
    let size = args.text()?.trim().parse::<f64>().map_err(|_| wrong("`human_readable` needs a number"))?;
    let bits = args.flag(0, "isbits");
    let wanted = args.str(1, "unit")?;
    let unit = UNITS
        .iter()
        .find(|(unit, power)| match &wanted {
            Some(wanted) => !unit.is_empty() && wanted.to_uppercase().starts_with(unit),
            None => size >= 2f64.powi(*power),
        })
        .unwrap_or(&UNITS[8]);
    let number = size / 2f64.powi(unit.1);
    let suffix = match (bits, unit.0) {
        (true, "") => "bits".to_owned(),
        (false, "") => "Bytes".to_owned(),
        (true, unit) => format!("{unit}b"),
        (false, unit) => format!("{unit}B"),
    };
    Ok(Value::from(format!("{number:.2} {suffix}")))
}

fn human_to_bytes(_: &mut State, args: &Args) -> Result<Value, Error> {
    let text = args.text()?;
    let text = text.trim();
    let split = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
    let (digits, unit) = text.split_at(split);
    let bad = || wrong(format!("`human_to_bytes` cannot read `{text}`; write for example `10 MB` or `2K`"));
    let size: f64 = digits.parse().map_err(|_| bad())?;
    let default = args.str(0, "default_unit")?.unwrap_or_default();
    let bits = args.flag(1, "isbits");
    let unit = match unit.trim() {
        "" => default,
        unit => unit.to_owned(),
    };
    let upper = unit.to_uppercase();
    let known = UNITS.iter().find(|(name, _)| !name.is_empty() && upper.starts_with(name));
    let power = match known {
        Some((_, power)) => *power,
        None if matches!(upper.as_str(), "" | "B" | "BYTES" | "BITS" | "BYTE" | "BIT") => 0,
        None => return Err(bad()),
    };
    let small_b = unit.ends_with('b') || upper.ends_with("BIT") || upper.ends_with("BITS");
    if unit.len() > 1 && bits != small_b && unit.to_uppercase().ends_with('B') {
        return Err(wrong(format!(
            "`{unit}` is {}: `b` means bits, `B` bytes",
            if small_b { "bits" } else { "bytes" }
        )));
    }
    Ok(truncated((size * 2f64.powi(power)).round()))
}

fn filesizeformat(_: &mut State, args: &Args) -> Result<Value, Error> {
    let size = args.text()?.trim().parse::<f64>().map_err(|_| wrong("`filesizeformat` needs a number"))?;
    let binary = args.flag(0, "binary");
    let base: f64 = if binary { 1024.0 } else { 1000.0 };
    if size < base {
        return Ok(Value::from(if (size - 1.0).abs() < f64::EPSILON {
            "1 Byte".into()
        } else {
            format!("{size:.0} Bytes")
        }));
    }
    let mut number = size;
    let mut unit = "";
    for next in ["k", "M", "G", "T", "P", "E"] {
        if number < base {
            break;
        }
        number /= base;
        unit = next;
    }
    let unit = if binary { format!("{}iB", unit.to_uppercase()) } else { format!("{unit}B") };
    Ok(Value::from(format!("{number:.1} {unit}")))
}
