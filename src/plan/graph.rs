//! The plan as a picture: steps and what each needs, as text, DOT and Mermaid.

use super::entry::{Entry, Kind};
use super::flatten;
use std::fmt::Write;

/// One task on one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Index of its entry.
    pub entry: usize,
    /// The host.
    pub host: String,
    /// Indices of earlier steps that must be over first.
    pub needs: Vec<usize>,
}

/// The steps of one play for a batch of hosts. Needs point backwards only, so there can be no cycle.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The play's name.
    pub title: String,
    /// What the entries are called.
    pub titles: Vec<String>,
    /// In playbook order, host by host.
    pub steps: Vec<Step>,
}

impl Plan {
    /// The plan of a flattened play. Handlers stand where they would run if they were notified.
    pub fn of(
        title: &str,
        entries: &[Entry],
        handlers: &[flatten::Handler],
        hosts: &[String],
        free: bool,
        strict: bool,
    ) -> Self {
        let mut plan = Self { title: title.to_owned(), ..Self::default() };
        let mut last: Vec<Option<usize>> = vec![None; hosts.len()];
        let mut fetched = false;
        for entry in entries {
            let shown: Vec<(&Entry, String)> = if let Kind::Flush = entry.kind {
                handlers
                    .iter()
                    .map(|handler| (&handler.entry, format!("{} (if notified)", handler.entry.title())))
                    .collect()
            } else {
                vec![(entry, entry.title())]
            };
            for (entry, title) in shown {
                let barrier = !free && (strict || fetched || entry.waits_for_all());
                fetched = entry.fetches();
                let once = entry.keyword(|keywords| keywords.run_once.as_ref()).is_some() && !free;
                let before = last.clone();
                let number = plan.titles.len();
                plan.titles.push(title);
                for (index, host) in hosts.iter().enumerate() {
                    if once && index > 0 {
                        last[index] = last[0];
                        continue;
                    }
                    let mut needs: Vec<usize> = if barrier {
                        before.iter().flatten().copied().collect()
                    } else {
                        before[index].into_iter().collect()
                    };
                    needs.sort_unstable();
                    needs.dedup();
                    last[index] = Some(plan.steps.len());
                    plan.steps.push(Step { entry: number, host: host.clone(), needs });
                }
            }
        }
        plan
    }

    fn name(&self, step: usize) -> String {
        let step = &self.steps[step];
        format!("{} on {}", self.titles[step.entry], step.host)
    }

    /// For people: each step with what it waits for.
    pub fn text(&self) -> String {
        let mut text = format!("play: {}\n", self.title);
        for (number, step) in self.steps.iter().enumerate() {
            let needs: Vec<String> = step.needs.iter().map(|need| (need + 1).to_string()).collect();
            let after = if needs.is_empty() { String::new() } else { format!("  after {}", needs.join(", ")) };
            let _ = writeln!(text, "  {:>4}  {:<12} {}{after}", number + 1, step.host, self.titles[step.entry]);
        }
        text
    }

    /// For Graphviz.
    pub fn dot(&self) -> String {
        let mut text = format!("digraph \"{}\" {{\n  rankdir=LR;\n  node [shape=box];\n", quoted(&self.title));
        for number in 0..self.steps.len() {
            let _ = writeln!(text, "  s{number} [label=\"{}\"];", quoted(&self.name(number)));
        }
        for (number, step) in self.steps.iter().enumerate() {
            for need in &step.needs {
                let _ = writeln!(text, "  s{need} -> s{number};");
            }
        }
        text.push_str("}\n");
        text
    }

    /// For Mermaid.
    pub fn mermaid(&self) -> String {
        let mut text = String::from("flowchart LR\n");
        for number in 0..self.steps.len() {
            let _ = writeln!(text, "  s{number}[\"{}\"]", self.name(number).replace('"', "#quot;"));
        }
        for (number, step) in self.steps.iter().enumerate() {
            for need in &step.needs {
                let _ = writeln!(text, "  s{need} --> s{number}");
            }
        }
        text
    }
}

fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}
