//! Python's two ways to fill a text: `'%s' % x` and `'{}'.format(x)`.

use super::super::args::subject_text;
use super::super::convert::{kind_words, wrong};
use minijinja::{Error, Value};
use std::iter::Peekable;
use std::str::Chars;

/// One conversion's flags, width and precision.
#[derive(Default)]
struct Spec {
    left: bool,
    zero: bool,
    plus: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
}

/// `%` formatting. `%(name)s` takes from the only value, a table.
pub(in super::super) fn percent(format: &str, values: &[Value]) -> Result<String, Error> {
    let (mut out, mut next) = (String::new(), 0);
    let mut letters = format.chars().peekable();
    let named = format.contains("%(");
    while let Some(letter) = letters.next() {
        if letter != '%' {
            out.push(letter);
            continue;
        }
        let mut name = None;
        if letters.next_if_eq(&'(').is_some() {
            name = Some(letters.by_ref().take_while(|letter| *letter != ')').collect::<String>());
        }
        let spec = spec(&mut letters);
        let Some(kind) = letters.next() else { return Err(wrong("the format ends after `%`; write `%%` for one")) };
        if kind == '%' {
            out.push('%');
            continue;
        }
        let value = if let Some(name) = name {
            let table = values.first().cloned().unwrap_or_default();
            let value = table.get_item(&Value::from(name.as_str())).unwrap_or_default();
            if value.is_undefined() {
                return Err(wrong(format!("the format needs a value `{name}`")));
            }
            value
        } else {
            next += 1;
            values.get(next - 1).cloned().ok_or_else(|| wrong("the format has more `%` than there are values"))?
        };
        out.push_str(&converted(kind, &spec, &value)?);
    }
    if !named && next < values.len() {
        return Err(wrong("there are more values than `%` in the format"));
    }
    Ok(out)
}

fn spec(letters: &mut Peekable<Chars>) -> Spec {
    let mut spec = Spec::default();
    while let Some(flag) = letters.next_if(|letter| "-0+ #".contains(*letter)) {
        match flag {
            '-' => spec.left = true,
            '0' => spec.zero = true,
            '+' => spec.plus = true,
            '#' => spec.alternate = true,
            _ => {}
        }
    }
    spec.width = number(letters).unwrap_or(0);
    if letters.next_if_eq(&'.').is_some() {
        spec.precision = Some(number(letters).unwrap_or(0));
    }
    spec
}

fn number(letters: &mut Peekable<Chars>) -> Option<usize> {
    let mut digits = String::new();
    while let Some(digit) = letters.next_if(char::is_ascii_digit) {
        digits.push(digit);
    }
    // A width is for columns: a thousand of them are more than any.
    digits.parse().ok().map(|width: usize| width.min(1000))
}

fn converted(kind: char, spec: &Spec, value: &Value) -> Result<String, Error> {
    let body = match kind {
        's' | 'r' => {
            let text = subject_text(value)?;
            spec.precision.map_or(text.clone(), |most| text.chars().take(most).collect())
        }
        'd' | 'i' | 'u' => signed(spec, &whole(value)?.to_string()),
        'x' | 'X' | 'o' => {
            let number = whole(value)?;
            let digits = match kind {
                'x' => format!("{:x}", number.unsigned_abs()),
                'X' => format!("{:X}", number.unsigned_abs()),
                _ => format!("{:o}", number.unsigned_abs()),
            };
            let prefix = if spec.alternate { format!("0{kind}") } else { String::new() };
            format!("{}{prefix}{digits}", if number < 0 { "-" } else { "" })
        }
        'f' | 'F' => signed(spec, &format!("{:.*}", spec.precision.unwrap_or(6), float(value)?)),
        'e' | 'E' => {
            let text = format!("{:.*e}", spec.precision.unwrap_or(6), float(value)?);
            // Python writes at least two digits of exponent, with a sign.
            let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            let exponent: i32 = exponent.parse().unwrap_or(0);
            let sign = if exponent < 0 { '-' } else { '+' };
            let text = format!("{mantissa}e{sign}{:02}", exponent.abs());
            if kind == 'E' { text.to_uppercase() } else { text }
        }
        'g' | 'G' => signed(spec, &float(value)?.to_string()),
        'c' => subject_text(value)?,
        other => return Err(wrong(format!("`%{other}` is no format; use %s, %d, %f or %x"))),
    };
    Ok(padded(spec, &body, kind))
}

fn signed(spec: &Spec, text: &str) -> String {
    if spec.plus && !text.starts_with('-') { format!("+{text}") } else { text.to_owned() }
}

fn padded(spec: &Spec, text: &str, kind: char) -> String {
    let missing = spec.width.saturating_sub(text.chars().count());
    if spec.left {
        format!("{text}{}", " ".repeat(missing))
    } else if spec.zero && !matches!(kind, 's' | 'r' | 'c') {
        let (sign, digits) = text.split_at(usize::from(text.starts_with(['-', '+'])));
        format!("{sign}{}{digits}", "0".repeat(missing))
    } else {
        format!("{}{text}", " ".repeat(missing))
    }
}

fn whole(value: &Value) -> Result<i128, Error> {
    if value.as_str().is_none() {
        if let Ok(number) = i128::try_from(value.clone()) {
            return Ok(number);
        }
        if let Ok(number) = f64::try_from(value.clone()) {
            #[expect(clippy::cast_possible_truncation, reason = "that is what %d means")]
            return Ok(number.trunc() as i128);
        }
    }
    Err(wrong(format!("the format needs a number, not {}; use `| int`", kind_words(value))))
}

fn float(value: &Value) -> Result<f64, Error> {
    if value.as_str().is_none()
        && let Ok(number) = f64::try_from(value.clone())
    {
        return Ok(number);
    }
    Err(wrong(format!("the format needs a number, not {}; use `| float`", kind_words(value))))
}

/// `str.format` with `{}`, `{0}`, `{name}`, `{name.key}` and the common format specifications.
pub(in super::super) fn braces(text: &str, args: &[Value]) -> Result<Value, Error> {
    let (named, positional) = match args.split_last() {
        Some((last, rest)) if last.is_kwargs() => (last.clone(), rest),
        _ => (Value::UNDEFINED, args),
    };
    let (mut out, mut next) = (String::new(), 0);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '{' if letters.next_if_eq(&'{').is_some() => out.push('{'),
            '}' => {
                letters.next_if_eq(&'}');
                out.push('}');
            }
            '{' => {
                let field: String = letters.by_ref().take_while(|letter| *letter != '}').collect();
                let (field, spec) = field.split_once(':').unwrap_or((&field, ""));
                let mut path = field.split('.');
                let first = path.next().unwrap_or_default();
                let mut value = match first.parse::<usize>() {
                    Ok(at) => positional.get(at).cloned(),
                    Err(_) if first.is_empty() => {
                        next += 1;
                        positional.get(next - 1).cloned()
                    }
                    Err(_) => named.get_item(&Value::from(first)).ok().filter(|value| !value.is_undefined()),
                };
                for key in path {
                    value = value.and_then(|value| value.get_attr(key).ok()).filter(|value| !value.is_undefined());
                }
                let value = value.ok_or_else(|| wrong(format!("`format` has no value for `{{{field}}}`")))?;
                out.push_str(&aligned(spec, &value)?);
            }
            letter => out.push(letter),
        }
    }
    Ok(Value::from(out))
}

/// A format specification: `[align][0][width][.precision][kind]`.
fn aligned(text: &str, value: &Value) -> Result<String, Error> {
    let mut letters = text.chars().peekable();
    let align = letters.next_if(|letter| "<>^".contains(*letter));
    let spec = spec(&mut letters);
    let is_text = value.as_str().is_some();
    let kind = letters.next().unwrap_or(match spec.precision {
        Some(_) if !is_text => 'f',
        _ => 's',
    });
    let plain = Spec { width: 0, left: false, ..spec };
    let body = converted(kind, &plain, value)?;
    let numeric = kind != 's' || !is_text;
    Ok(match align.unwrap_or(if numeric { '>' } else { '<' }) {
        '<' => format!("{body:<width$}", width = spec.width),
        '^' => format!("{body:^width$}", width = spec.width),
        _ if spec.zero => padded(&spec, &body, 'd'),
        _ => format!("{body:>width$}", width = spec.width),
    })
}
