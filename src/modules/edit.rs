//! What the modules share that edit a text file: `lineinfile`, `blockinfile`, `replace`.

use super::attributes::Attributes;
use super::content::{Content, Replacing, put};
use super::file::unknown;
use super::loose::Text;
use super::{Cx, Result};
use crate::base::{Diff, Failure, Map};
use crate::system::{System, Traits};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The options that they share. Put it into a module's struct with `#[serde(flatten)]`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Edit {
    /// The file's encoding: only `utf-8`.
    #[serde(default)]
    pub encoding: Option<Text>,
    #[serde(flatten)]
    #[allow(missing_docs, reason = "flattened: its fields carry the manual")]
    pub replacing: Replacing,
    #[serde(flatten)]
    #[allow(missing_docs, reason = "flattened: its fields carry the manual")]
    pub attributes: Attributes,
}

impl Edit {
    /// Writes the new text, after the folders that are missing above it; returns the name of the backup.
    pub fn write(&self, cx: &mut Cx, path: &Path, text: &str) -> Result<Option<String>> {
        let folder = path.parent().unwrap_or(Path::new("/"));
        if cx.system.meta(path)?.is_none() && !cx.system.is_folder(folder)? {
            let diff = Diff::value(folder.display().to_string(), "absent", "directory");
            cx.change(diff, |writer| writer.folders(folder, Traits::default()))?;
        }
        Ok(put(cx, self.replacing.how(path, &self.attributes), Content::Bytes(text.as_bytes()))?.backup)
    }
}

/// Whether something shall be there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It shall be there.
    #[default]
    Present,
    /// It shall not.
    Absent,
}

/// The text of a file; `None` if it is missing.
pub(super) fn text_to_edit(system: &System, path: &Path) -> Result<Option<String>> {
    if system.is_folder(path)? {
        return Err(Failure::new(format!("{}: it is a folder, not a text file", path.display())));
    }
    system.read_text_if_there(path)
}

/// What an editing module says of a missing file: in check mode an earlier task may be the one to make it.
pub(super) fn missing(cx: &Cx, path: &Path) -> Result<Map> {
    if cx.check {
        return Ok(unknown(path));
    }
    Err(Failure::new(format!("{}: there is no such file", path.display()))
        .help("write `create: true` if the task shall make it")
        .with("rc", 257))
}

/// What the editing modules return.
pub(super) fn message(said: &str, found: Option<usize>, backup: Option<String>) -> Map {
    let mut output = Map::from_iter([("msg".to_owned(), said.into())]);
    if let Some(found) = found {
        output.insert("found".into(), found.into());
    }
    if let Some(backup) = backup {
        output.insert("backup".into(), backup.clone().into());
        output.insert("backup_file".into(), backup.into());
    }
    output
}

/// Refuses encodings that cannot be read.
pub(super) fn only_utf8(encoding: Option<&Text>) -> Result<()> {
    match encoding {
        Some(name) if !matches!(name.0.to_ascii_lowercase().as_str(), "utf-8" | "utf8" | "ascii") => {
            Err(Failure::new(format!("the encoding `{}` cannot be read, only utf-8", name.0)))
        }
        _ => Ok(()),
    }
}
