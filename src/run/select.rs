//! Which entries a run takes: tags, and the task to start at.

use super::context::Options;
use crate::base::{python_regex, wildcard};
use crate::language::tags::TagSelection;
use crate::plan::{Entry, Kind, flatten};

/// Whether `-t` and `--skip-tags` leave an entry in.
pub fn tags(options: &Options, entry: &Entry) -> bool {
    if matches!(entry.kind, Kind::Flush) {
        return true;
    }
    let selection = TagSelection::new(&options.tags, &options.skip_tags);
    let tags = flatten::tags(entry);
    let module_is = |wanted: &str| match entry.task().map(|task| &task.action) {
        Some(crate::language::playbook::Action::Module { name, .. }) => &*name.name == wanted,
        _ => false,
    };
    // Handlers are flushed whatever is selected, as Ansible does for `meta`.
    selection.allows(&tags) || (module_is("meta") && !tags.iter().any(|tag| tag == "never"))
}

/// Drops everything before the task that is named `start`; it may be a wildcard.
pub fn start_at(start: &str, entries: Vec<Entry>) -> (Vec<Entry>, bool) {
    let wild = wildcard::compile(start).ok();
    let fits = |name: &str| wild.as_ref().is_some_and(|wild| python_regex::is_match(wild, name).unwrap_or(false));
    let matches = |entry: &Entry| {
        let title = entry.title();
        let short = title.split_once(" : ").map_or(title.as_str(), |(_, short)| short);
        [title.as_str(), short].iter().any(|name| *name == start || fits(name))
    };
    match entries.iter().position(matches) {
        Some(first) => (entries.into_iter().skip(first).collect(), true),
        None => (vec![], false),
    }
}
