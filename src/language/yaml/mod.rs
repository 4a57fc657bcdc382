//! YAML text to [`Node`]s that know where they stand.
//!
//! Anchors share their node, merge keys (`<<`) are applied, `!unsafe` marks text that is never a template. One document a
//! file, as Ansible wants it.

mod build;
mod scalar;
mod trouble;

use super::node::Node;
use crate::base::diagnostic::Checked;
use crate::base::{Diagnostic, Source, Span};
use granit_parser::{Event, Parser};
use std::sync::Arc;

pub use scalar::resolve;

/// Reads a file's text. An empty file is [`Data::Null`](super::node::Data::Null).
pub fn load(source: &Arc<Source>) -> Checked<Node> {
    if source.text.starts_with("$ANSIBLE_VAULT;") {
        let line = source.text.lines().next().map_or(0, str::len);
        return Err(vec![
            Diagnostic::new("files encrypted with vault are not supported yet", &Span::new(source.clone(), 0, line))
                .help("decrypt it into a file outside the repository and give that with `-e @file`"),
        ]);
    }
    let mut builder = build::Builder::new(source);
    let mut documents = 0;
    let options = granit_parser::options! { emit_comments: false };
    for event in Parser::new_from_str_with_options(&source.text, options) {
        match event {
            Ok((Event::DocumentStart(..), span)) => {
                documents += 1;
                if documents > 1 {
                    let start = span.byte_range().map_or(0, |range| range.start);
                    let place = Span::new(source.clone(), start, start + 3);
                    builder.mistakes.push(Diagnostic::new("a second document begins here", &place).help(
                        "keep one document in a file: remove this `---`, or move what follows into its own file",
                    ));
                    break;
                }
            }
            Ok((event, span)) => builder.take(event, &span),
            Err(error) => {
                builder.mistakes.push(trouble::explain(source, &error));
                break;
            }
        }
        if builder.hopeless {
            break;
        }
    }
    builder.finish()
}

/// Reads a YAML text that stands in no file: a value on the command line.
pub fn load_text(label: &str, text: &str) -> Checked<Node> {
    load(&Source::new(label, text))
}

#[cfg(test)]
mod tests;
