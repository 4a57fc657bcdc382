//! Facts that a host keeps about itself: `*.fact` files, which hold JSON or INI, or print it.

use crate::base::failure::Result;
use crate::base::{Map, Value};
use crate::system::{Command, System};
use std::path::Path;

/// Where facts of a host's own lie, and how long one may take.
#[derive(Debug)]
pub struct LocalFacts<'a> {
    /// The folder.
    pub folder: &'a Path,
    /// Seconds for each executable file.
    pub timeout: u64,
}

impl System {
    /// What `ansible_local` holds: a table with an entry for each `NAME.fact`. A file that makes no sense says so in its
    /// entry, and the others are read all the same.
    pub fn local_facts(&self, local: &LocalFacts) -> Result<Map> {
        let mut facts = Map::new();
        if !self.is_folder(local.folder)? {
            return Ok(facts);
        }
        for path in self.list(local.folder)? {
            let Some(name) = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".fact")) else { continue };
            let text = if self.may(&path, 'x') {
                let program = path.to_string_lossy().into_owned();
                let command = Command { timeout: Some(local.timeout), ..Command::new([program]) };
                self.run(&command).and_then(|ended| match ended.code {
                    0 => Ok(ended.stdout),
                    code => Err(crate::base::Failure::new(format!("it ended with {code}: {}", ended.stderr.trim()))),
                })
            } else {
                self.read_text(&path)
            };
            let value = match text {
                Ok(text) => parse(&text).unwrap_or_else(|| "error loading fact: it is neither JSON nor INI".into()),
                Err(failure) => format!("error loading fact: {failure}").into(),
            };
            facts.insert(name.to_owned(), value);
        }
        Ok(facts)
    }
}

fn parse(text: &str) -> Option<Value> {
    if let Ok(value) = serde_json::from_str(text) {
        return Some(value);
    }
    ini(text).map(Value::Object)
}

/// Sections of `name = value` or `name: value`; names are lower case, values are texts.
fn ini(text: &str) -> Option<Map> {
    let mut sections = Map::new();
    let mut current: Option<String> = None;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', ';'])) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            sections.entry(name).or_insert_with(|| Map::new().into());
            current = Some(name.to_owned());
            continue;
        }
        let (name, value) = line.split_once(['=', ':'])?;
        let section = sections.get_mut(current.as_ref()?)?.as_object_mut()?;
        section.insert(name.trim().to_lowercase(), value.trim().into());
    }
    (!sections.is_empty()).then_some(sections)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_host_tells_about_itself_in_json_in_ini_or_by_a_program() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str, mode| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        write("a.fact", "{\"rack\": 7}", 0o644);
        write("b.fact", "# where\n[place]\nRow = 3\n", 0o644);
        write("c.fact", "#!/bin/sh\necho '[1, 2]'\n", 0o755);
        write("d.fact", "nonsense", 0o644);
        write("readme", "not a fact", 0o644);
        let local = LocalFacts { folder: folder.path(), timeout: 10 };
        let facts = System::new("/").local_facts(&local).unwrap();
        assert_eq!(facts["a"], json!({"rack": 7}));
        assert_eq!(facts["b"], json!({"place": {"row": "3"}}));
        assert_eq!(facts["c"], json!([1, 2]));
        assert_eq!(facts["d"], "error loading fact: it is neither JSON nor INI");
        assert_eq!(facts.len(), 4);
    }
}
