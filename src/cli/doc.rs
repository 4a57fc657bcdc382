//! `chainwright doc`: the manual of a module, from its own declaration.

mod schema;

use crate::base::diagnostic::did_you_mean;
use crate::modules::{self, Entry, Reach};
use crate::report::look::{self, Look};
use clap::Args;
use schema::Manual;
use std::fmt::Write;
use std::io::IsTerminal;
use std::process::ExitCode;
use unicode_width::UnicodeWidthStr;

/// Longer lines read badly, however wide the terminal is.
const COLUMNS: usize = 100;

/// Show the manual of modules: what they make true, their options, an example.
#[derive(Debug, Args)]
pub struct DocArgs {
    /// The modules; `ansible.builtin.` may stand before a name.
    #[arg(value_name = "MODULE", required_unless_present = "list")]
    pub modules: Vec<String>,
    /// List every module with what it does.
    #[arg(short, long)]
    pub list: bool,
    /// Print the JSON schema of the options instead, for editors.
    #[arg(short, long)]
    pub json: bool,
}

/// Prints to standard output; an unknown name is an error.
pub fn run(args: &DocArgs) -> ExitCode {
    let mut look = Look::of_stdout(0, false);
    look.width = look.width.min(COLUMNS);
    let mut exit = ExitCode::SUCCESS;
    let mut pages = Vec::new();
    if args.list {
        // In a pipe nothing is cut: it may be searched.
        let width = if std::io::stdout().is_terminal() { look.width } else { usize::MAX };
        pages.push(list(&Look { width, ..look }));
    }
    for name in &args.modules {
        match modules::find(name) {
            Some(entry) if args.json => pages.push(format!("{:#}\n", (entry.schema)().as_value())),
            Some(entry) => pages.push(page(entry, &look)),
            None => {
                eprintln!("error: {}", unknown(name));
                exit = ExitCode::FAILURE;
            }
        }
    }
    // A pager that was closed early is no mistake.
    let _ = std::io::Write::write_all(&mut std::io::stdout(), pages.join("\n").as_bytes());
    exit
}

fn unknown(name: &str) -> String {
    match did_you_mean(name, modules::names()) {
        Some(near) => format!("there is no module `{name}`; did you mean `{near}`?"),
        None => format!("there is no module `{name}`; `chainwright doc -l` lists all"),
    }
}

fn list(look: &Look) -> String {
    let widest = modules::registry::REGISTRY.iter().map(|entry| entry.name.width()).max().unwrap_or(0);
    let line = |entry: &Entry| {
        let purpose = Manual::of(entry).purpose;
        let purpose = look::cut(first_sentence(&purpose), look.width.saturating_sub(widest + 2));
        format!("{}  {purpose}\n", look.paint(look::STRONG, &look::pad(entry.name, widest)))
    };
    modules::registry::REGISTRY.iter().map(line).collect()
}

fn first_sentence(text: &str) -> &str {
    let end = text.find(". ").or_else(|| text.find('.').filter(|at| at + 1 == text.len())).unwrap_or(text.len());
    text[..end].lines().next().unwrap_or_default()
}

fn page(entry: &Entry, look: &Look) -> String {
    let manual = Manual::of(entry);
    let heading = |title: &str| format!("\n{}\n", look.paint(look::STRONG, title));
    let mut text = look.paint(look::STRONG, entry.name) + "\n";
    text += &wrap(&manual.purpose, 2, look.width);
    let mut notes = Vec::new();
    if !entry.also.is_empty() {
        notes.push(format!("Other names: {}.", entry.also.join(", ")));
    }
    if let Some(option) = entry.free_form {
        notes.push(format!("Free text after `{}:` is read as `{option}`.", entry.name));
    }
    if entry.reach == Reach::Controller {
        notes.push("Runs where Chainwright runs; the host is not contacted.".to_owned());
    }
    if !notes.is_empty() {
        text += "\n";
        text.extend(notes.iter().map(|note| wrap(note, 2, look.width)));
    }
    if !manual.options.is_empty() {
        text += &heading("OPTIONS");
    }
    for option in &manual.options {
        let mut facts = vec![option.kind.clone()];
        if option.required {
            facts.push(look.paint(look::CHANGED, "required"));
        }
        if let Some(default) = &option.default {
            facts.push(format!("default {default}"));
        }
        let _ = writeln!(text, "  {}  {}", look.paint(look::OK, &option.name), facts.join(", "));
        text += &wrap(&option.description, 6, look.width);
        for (value, meaning) in &option.choices {
            let meaning = if meaning.is_empty() { String::new() } else { format!(": {meaning}") };
            text += &wrap(&format!("- {value}{meaning}"), 6, look.width);
        }
        if !option.aliases.is_empty() {
            text += &wrap(&format!("Also written {}.", option.aliases.join(", ")), 6, look.width);
        }
    }
    if !entry.refused.is_empty() {
        text += &heading("REFUSED, THOUGH ANSIBLE HAS IT");
    }
    for (name, instead) in entry.refused {
        let _ = writeln!(text, "  {name}");
        text += &wrap(instead, 6, look.width);
    }
    text += &heading("EXAMPLE");
    for line in entry.example.trim_end().lines() {
        let _ = writeln!(text, "{}", if line.is_empty() { String::new() } else { format!("  {line}") });
    }
    text
}

/// Paragraphs filled to `width`, indented; items that begin with `- ` keep their line.
fn wrap(text: &str, indent: usize, width: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut current = String::new();
    let mut hang = 0;
    for line in text.lines() {
        let item = line.trim_start().starts_with("- ");
        if line.trim().is_empty() || item {
            lines.extend((!current.is_empty()).then(|| std::mem::take(&mut current)));
            hang = if item { 2 } else { 0 };
            if !item {
                lines.push(String::new());
            }
        }
        for word in line.split_whitespace() {
            if current.trim().is_empty() {
                current += word;
            } else if indent + current.width() + 1 + word.width() <= width {
                current = current + " " + word;
            } else {
                lines.push(std::mem::replace(&mut current, " ".repeat(hang) + word));
            }
        }
    }
    lines.extend((!current.is_empty()).then_some(current));
    let indented =
        |line: &String| if line.is_empty() { "\n".to_owned() } else { format!("{}{line}\n", " ".repeat(indent)) };
    lines.iter().map(indented).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Look = Look { colour: false, verbosity: 0, diff: false, width: 79 };

    #[test]
    fn a_page_says_what_a_module_does_and_takes() {
        insta::assert_snapshot!(page(modules::find("ping").unwrap(), &PLAIN), @"
        ping
          Proves that a host can be reached, logged in to, and that the agent runs
          there.

        OPTIONS
          data  text, default pong
              What to return; `crash` makes it fail, for a test of what happens then.

        EXAMPLE
          - ping:
        ");
    }

    #[test]
    fn what_cannot_be_had_is_told_with_what_to_write_instead() {
        let page = page(modules::find("uri").unwrap(), &PLAIN);
        let (_, refused) = page.split_once("REFUSED, THOUGH ANSIBLE HAS IT\n").unwrap();
        assert!(refused.starts_with("  ciphers\n      leave it out: "), "{refused}");
    }

    #[test]
    fn a_misspelt_name_is_answered_with_the_right_one() {
        assert_eq!(unknown("pign"), "there is no module `pign`; did you mean `ping`?");
        assert_eq!(unknown("kubernetes"), "there is no module `kubernetes`; `chainwright doc -l` lists all");
    }

    #[test]
    fn every_module_has_a_page_and_a_line_in_the_list() {
        let list = list(&PLAIN);
        for entry in modules::registry::REGISTRY {
            let manual = Manual::of(entry);
            assert!(!manual.purpose.is_empty(), "{} has no manual", entry.name);
            assert!(list.contains(&format!("{} ", entry.name)), "{list}");
            for option in &manual.options {
                assert!(!option.description.is_empty(), "{}: {} is not described", entry.name, option.name);
            }
        }
    }

    #[test]
    fn text_is_filled_and_items_hang() {
        insta::assert_snapshot!(wrap("One two\nthree four.\n\nFive:\n- six seven eight", 2, 14), @"
        One two
        three four.

        Five:
        - six seven
          eight
        ");
    }
}
