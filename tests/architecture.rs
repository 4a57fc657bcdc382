//! Holds the code to the layers of `src/lib.rs`: a folder imports folders below it, never above.

use std::fs;
use std::path::{Path, PathBuf};

/// From the top to the bottom; a folder may import what stands behind it.
const LAYERS: &[&str] = &[
    "cli",
    "report",
    "run",
    "plan",
    "connect",
    "agent",
    "modules",
    "ethstats",
    "rpc_filter",
    "chain",
    "system",
    "language",
    "base",
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn all() -> Vec<PathBuf> {
    let mut found = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    found
}

/// The part of a file that is neither a comment nor its unit tests.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("a source file");
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    code.lines().map(|line| if line.trim_start().starts_with("//") { "" } else { line }).collect::<Vec<_>>().join("\n")
}

fn layer(path: &Path) -> String {
    let relative = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).expect("below src");
    relative.components().next().expect("a name").as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned()
}

#[test]
fn every_folder_imports_only_what_is_below_it() {
    let mut broken = Vec::new();
    for path in all() {
        let own = layer(&path);
        let Some(height) = LAYERS.iter().position(|name| *name == own) else { continue };
        for (number, line) in code(&path).lines().enumerate() {
            let mut rest = line;
            while let Some((_, after)) = rest.split_once("crate::") {
                let name: String = after.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                rest = after;
                let Some(depth) = LAYERS.iter().position(|layer| *layer == name) else { continue };
                if depth < height {
                    broken.push(format!("{}:{}: {own} imports {name}", path.display(), number + 1));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn modules_read_and_change_hosts_only_through_the_system() {
    let mut broken = Vec::new();
    let only_tests = |path: &Path| {
        path.ends_with("testing.rs") || path.ends_with("tests.rs") || path.to_string_lossy().ends_with("_tests.rs")
    };
    for path in all().into_iter().filter(|path| layer(path) == "modules" && !only_tests(path)) {
        for (number, line) in code(&path).lines().enumerate() {
            if ["std::fs", "std::process::Command"].iter().any(|name| line.contains(name)) {
                broken.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_file_says_its_job_in_its_first_line() {
    let silent: Vec<String> = all()
        .iter()
        .filter(|path| !fs::read_to_string(path).expect("a source file").starts_with("//! "))
        .map(|path| path.display().to_string())
        .collect();
    assert!(silent.is_empty(), "{}", silent.join("\n"));
}
