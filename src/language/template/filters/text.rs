//! Filters on text.

use super::super::Callable;
use super::super::args::{Args, subject_text};
use super::super::convert::{kind_words, wrong};
use super::super::undefined::valid;
use super::printf;
use minijinja::value::ValueKind;
use minijinja::{Error, State, Value};
use std::fmt::Write as _;

pub(super) const FILTERS: &[(&str, Callable)] = &[
    ("string", string),
    ("lower", |_, args| Ok(Value::from(args.text()?.to_lowercase()))),
    ("upper", |_, args| Ok(Value::from(args.text()?.to_uppercase()))),
    ("capitalize", |_, args| Ok(Value::from(capital(&args.text()?)))),
    ("title", title),
    ("trim", trim),
    ("replace", replace),
    ("split", split),
    ("indent", indent),
    ("comment", comment),
    ("quote", quote),
    ("truncate", truncate),
    ("wordcount", |_, args| Ok(Value::from(args.text()?.split_whitespace().count()))),
    ("wordwrap", wordwrap),
    ("center", center),
    ("format", format),
    ("e", escape),
    ("escape", escape),
    ("forceescape", escape),
    ("safe", |_, args| Ok(args.subject())),
    ("urlize", |_, args| Ok(args.subject())),
    ("striptags", striptags),
    ("xmlattr", xmlattr),
];

fn string(_: &mut State, args: &Args) -> Result<Value, Error> {
    let value = args.subject();
    Ok(if value.as_str().is_some() { value } else { Value::from(subject_text(&value)?) })
}

/// A table as attributes of an XML element: those that are not nothing, with a space before them if there are any.
fn xmlattr(_: &mut State, args: &Args) -> Result<Value, Error> {
    let table = args.subject();
    if table.kind() != ValueKind::Map {
        return Err(wrong(format!("`xmlattr` needs a table, this is {}", kind_words(&table))));
    }
    let mut out = String::new();
    for key in table.try_iter()?.checked() {
        let key = key?;
        let value = valid(table.get_item(&key)?)?;
        if value.is_none() {
            continue;
        }
        let name = subject_text(&key)?;
        if name.contains(|letter: char| letter.is_whitespace() || "/>=".contains(letter)) {
            return Err(wrong(format!("`xmlattr`: `{name}` is not the name of an attribute")));
        }
        let _ = write!(out, " {}=\"{}\"", escaped(&name), escaped(&subject_text(&value)?));
    }
    let space = args.get(0, "autospace").is_none_or(Value::is_true);
    Ok(Value::from(if space { out.as_str() } else { out.trim_start() }))
}

/// First letter upper, the rest lower.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + &letters.as_str().to_lowercase())
}

fn title(_: &mut State, args: &Args) -> Result<Value, Error> {
    let mut out = String::new();
    let mut start = true;
    for letter in args.text()?.chars() {
        if start {
            out.extend(letter.to_uppercase());
        } else {
            out.extend(letter.to_lowercase());
        }
        start = letter.is_whitespace() || "-({[<".contains(letter);
    }
    Ok(Value::from(out))
}

fn trim(_: &mut State, args: &Args) -> Result<Value, Error> {
    let text = args.text()?;
    Ok(Value::from(match args.str(0, "chars")? {
        Some(chars) => text.trim_matches(|letter| chars.contains(letter)),
        None => text.trim(),
    }))
}

fn replace(_: &mut State, args: &Args) -> Result<Value, Error> {
    let text = args.text()?;
    let (old, new) = (subject_text(args.need(0, "old")?)?, subject_text(args.need(1, "new")?)?);
    Ok(Value::from(match args.int(2, "count")? {
        Some(count) if count >= 0 => text.replacen(&old, &new, usize::try_from(count).unwrap_or(usize::MAX)),
        _ => text.replace(&old, &new),
    }))
}

fn split(_: &mut State, args: &Args) -> Result<Value, Error> {
    let text = args.text()?;
    let limit = args.int(1, "maxsplit")?.and_then(|limit| usize::try_from(limit).ok());
    Ok(match (args.str(0, "sep")?, limit) {
        (Some(by), _) if by.is_empty() => return Err(wrong("`split` needs a separator that is not empty")),
        (Some(by), None) => text.split(by.as_str()).map(Value::from).collect(),
        (Some(by), Some(limit)) => text.splitn(limit + 1, by.as_str()).map(Value::from).collect(),
        (None, _) => text.split_whitespace().map(Value::from).collect(),
    })
}

fn indent(_: &mut State, args: &Args) -> Result<Value, Error> {
    let text = args.text()?;
    let prefix = match args.get(0, "width") {
        Some(width) if width.as_str().is_some() => width.as_str().unwrap_or_default().to_owned(),
        _ => " ".repeat(usize::try_from(args.int(0, "width")?.unwrap_or(4)).unwrap_or(0)),
    };
    let (first, blank) = (args.flag(1, "first"), args.flag(2, "blank"));
    let mut out = String::new();
    for (at, line) in text.split('\n').enumerate() {
        if at > 0 {
            out.push('\n');
        }
        if (at > 0 || first) && (blank || !line.is_empty()) {
            out.push_str(&prefix);
        }
        out.push_str(line);
    }
    Ok(Value::from(out))
}

fn comment(_: &mut State, args: &Args) -> Result<Value, Error> {
    let text = args.text()?;
    let style = args.str(0, "style")?.unwrap_or_else(|| "plain".into());
    // Decoration, begin, end.
    let (decoration, begin, end) = match style.as_str() {
        "plain" => ("# ", "", ""),
        "erlang" => ("% ", "", ""),
        "c" => ("// ", "", ""),
        "cblock" => (" * ", "/*", " */"),
        "xml" => (" - ", "<!--", "-->"),
        other => return Err(wrong(format!("`comment` knows plain, erlang, c, cblock and xml, not `{other}`"))),
    };
    let option = |name: &str, default: &str| args.str(9, name).map(|given| given.unwrap_or_else(|| default.to_owned()));
    let decoration = option("decoration", decoration)?;
    let (begin, end) = (option("beginning", begin)?, option("end", end)?);
    let (prefix, postfix) = (option("prefix", decoration.trim_end())?, option("postfix", decoration.trim_end())?);
    let newline = option("newline", "\n")?;
    let count = |name: &str| args.int(9, name).map(|count| usize::try_from(count.unwrap_or(1)).unwrap_or(0));
    let mut lines = Vec::new();
    if !begin.is_empty() {
        lines.push(begin);
    }
    lines.extend(std::iter::repeat_n(prefix, count("prefix_count")?));
    let body: Vec<&str> = text.split(newline.as_str()).collect();
    for (at, line) in body.iter().enumerate() {
        // An empty line has no blank after its mark, except the last: so Ansible writes it.
        let bare = line.is_empty() && at + 1 < body.len();
        lines.push(if bare { decoration.trim_end().to_owned() } else { format!("{decoration}{line}") });
    }
    lines.extend(std::iter::repeat_n(postfix, count("postfix_count")?));
    if !end.is_empty() {
        lines.push(end);
    }
    Ok(Value::from(lines.join(&newline)))
}

/// A word for a shell.
pub(super) fn quoted(text: &str) -> String {
    if text.is_empty() {
        return "''".into();
    }
    if text.chars().all(|letter| letter.is_ascii_alphanumeric() || "@%+=:,./-_".contains(letter)) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\"'\"'"))
}

fn quote(_: &mut State, args: &Args) -> Result<Value, Error> {
    let value = args.subject();
    Ok(Value::from(if value.is_none() { "''".into() } else { quoted(&args.text()?) }))
}

fn truncate(_: &mut State, args: &Args) -> Result<Value, Error> {
    let text = args.text()?;
    let size = |number: Option<i64>, default| usize::try_from(number.unwrap_or(default)).unwrap_or(0);
    let length = size(args.int(0, "length")?, 255);
    let end = args.str(2, "end")?.unwrap_or_else(|| "...".into());
    let leeway = size(args.int(3, "leeway")?, 5);
    let kill = args.flag(1, "killwords");
    if text.chars().count() <= length + leeway {
        return Ok(Value::from(text));
    }
    let cut: String = text.chars().take(length.saturating_sub(end.chars().count())).collect();
    if kill {
        return Ok(Value::from(cut + &end));
    }
    let whole = cut.rsplit_once(' ').map_or(cut.as_str(), |(head, _)| head);
    Ok(Value::from(format!("{whole}{end}")))
}

fn wordwrap(_: &mut State, args: &Args) -> Result<Value, Error> {
    let width = usize::try_from(args.int(0, "width")?.unwrap_or(79)).unwrap_or(79).max(1);
    let mut lines = Vec::new();
    for paragraph in args.text()?.split('\n') {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    Ok(Value::from(lines.join("\n")))
}

fn center(_: &mut State, args: &Args) -> Result<Value, Error> {
    let width = usize::try_from(args.int(0, "width")?.unwrap_or(80)).unwrap_or(80);
    Ok(Value::from(format!("{:^width$}", args.text()?)))
}

fn format(_: &mut State, args: &Args) -> Result<Value, Error> {
    let text = args.text()?;
    let named = args.take_named();
    if named.is_empty() {
        return printf::percent(&text, args.values.get(1..).unwrap_or_default()).map(Value::from);
    }
    let table = Value::from_pairs(named.iter().map(|(name, value)| (name.as_str(), value.clone())));
    printf::percent(&text, &[table]).map(Value::from)
}

fn escape(_: &mut State, args: &Args) -> Result<Value, Error> {
    Ok(Value::from(escaped(&args.text()?)))
}

/// Text as it may stand in an XML element or attribute.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            letter => out.push(letter),
        }
    }
    out
}

fn striptags(_: &mut State, args: &Args) -> Result<Value, Error> {
    let (mut out, mut inside) = (String::new(), false);
    for letter in args.text()?.chars() {
        match letter {
            '<' => inside = true,
            '>' if inside => inside = false,
            letter if !inside => out.push(letter),
            _ => {}
        }
    }
    Ok(Value::from(out.split_whitespace().collect::<Vec<_>>().join(" ")))
}
