//! Holds README.md to the truth: its commands, its playbook, its tables and its links.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The indented blocks, without their indentation.
fn blocks(markdown: &str) -> Vec<String> {
    let mut blocks = vec![String::new()];
    for line in markdown.lines() {
        match line.strip_prefix("    ") {
            Some(code) => blocks.last_mut().expect("at least one").extend([code, "\n"]),
            None => blocks.push(String::new()),
        }
    }
    blocks.retain(|block| !block.is_empty());
    blocks
}

/// What stands between backticks in running text.
fn quoted(markdown: &str) -> Vec<String> {
    markdown.lines().flat_map(|line| line.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

/// The commands in blocks and in running text, without comments, continued lines joined.
fn commands(program: &str) -> Vec<Vec<String>> {
    let readme = read("README.md");
    let text = blocks(&readme).join("\n").replace("\\\n", " ");
    let lines = text.lines().map(str::to_owned).chain(quoted(&readme));
    let words = lines.map(|line| line.split_whitespace().take_while(|word| *word != "#").map(str::to_owned).collect());
    words.filter(|words: &Vec<String>| words.first().is_some_and(|word| word == program)).collect()
}

/// The first column of the table below a heading, its entries split at commas.
fn table(heading: &str) -> BTreeSet<String> {
    let readme = read("README.md");
    let (_, section) =
        readme.split_once(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no section {heading}"));
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with('|')).skip(2);
    let cells = rows.filter_map(|row| row.split('|').nth(1));
    cells.flat_map(|cell| cell.split(',')).map(|name| name.trim().trim_matches('`').to_owned()).collect()
}

#[test]
fn every_command_of_ours_has_these_options() {
    let commands = commands("chainwright");
    assert!(commands.len() > 5, "{commands:?}");
    for words in commands {
        // A mention in running text may leave out what is required.
        if let Err(error) = chainwright::cli::command().try_get_matches_from(&words)
            && error.kind() != clap::error::ErrorKind::MissingRequiredArgument
        {
            panic!("{}\n{error}", words.join(" "));
        }
    }
}

#[test]
fn every_make_target_exists() {
    let makefile = read("Makefile");
    let commands = commands("make");
    assert!(commands.len() > 2, "{commands:?}");
    for target in commands.iter().flat_map(|words| &words[1..]).filter(|word| !word.contains('=')) {
        assert!(makefile.lines().any(|line| line.starts_with(&format!("{target}:"))), "the Makefile has no {target}");
    }
}

#[test]
fn the_example_playbook_is_one() {
    let readme = read("README.md");
    let blocks = blocks(&readme);
    let playbook = blocks.iter().find(|block| block.starts_with("- name:")).expect("a playbook");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("a file");
    write("web.yml", playbook);
    write("hosts.yml", "web: {hosts: {web1: , web2: }}\n");
    for words in [vec!["playbook", "--syntax-check"], vec!["plan"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chainwright"));
        let ran = command.args(words).args(["-i", "hosts.yml", "web.yml"]).current_dir(folder.path()).output();
        let ran = ran.expect("chainwright runs");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    }
}

#[test]
fn every_dependency_has_its_reason_and_nothing_else_has() {
    let manifest = read("Cargo.toml");
    let mut section = "";
    let mut used = BTreeSet::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            section = line;
        } else if let ("[dependencies]" | "[dev-dependencies]", Some((name, _))) = (section, line.split_once(" = ")) {
            used.insert(name.to_owned());
        }
    }
    assert_eq!(table("Dependencies"), used);
}

#[test]
fn the_layout_names_every_folder() {
    let named = table("Layout");
    for folder in &named {
        assert!(root().join(folder).is_dir(), "there is no {folder}");
    }
    let below = |folder: &str| fs::read_dir(root().join(folder)).expect("a folder").flatten().collect::<Vec<_>>();
    for entry in below(".").into_iter().chain(below("tests")).filter(|entry| entry.path().is_dir()) {
        let name = entry.path().strip_prefix(root()).expect("below").display().to_string();
        let name = name.trim_start_matches("./");
        if !name.starts_with('.') && name != "target" {
            assert!(named.iter().any(|folder| folder.starts_with(name)), "no row of the layout covers {name}/");
        }
    }
}

#[test]
fn every_link_leads_somewhere() {
    let readme = read("README.md");
    let links: Vec<&str> = readme.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    assert!(links.contains(&"docs/demo.txt"), "{links:?}");
    for link in links.iter().filter(|link| !link.contains("://")) {
        assert!(root().join(link).exists(), "there is no {link}");
    }
}
