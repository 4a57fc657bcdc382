//! A run for people: headings, a line a host, what changed, why it failed, the recap. The look is that of Ansible's
//! default callback, with results as YAML and failures as sentences.

mod recap;
mod result;

use self::result::{command_line, empty, message, message_of, readable, style, unexplained};
use super::live::Screen;
use super::look::{self, Look};
use super::show::{clean, field, one_line, table, yaml};
use super::{Reporter, diff};
use crate::base::event::{Done, Status};
use crate::base::{Event, Map, Value};
use std::collections::HashMap;
use std::fmt::Write;
use std::io::IsTerminal;

/// Longer outputs of failed commands lose their beginning, unless `-v` is given.
const LINES: usize = 60;

/// Prints a run as it happens.
pub struct Terminal {
    look: Look,
    screen: Screen,
    check: bool,
    tasks: HashMap<usize, Task>,
    /// The task whose heading was printed last.
    heading: Option<usize>,
    /// Loops under way: whether one of their items failed.
    loops: HashMap<(usize, String), bool>,
}

struct Task {
    title: String,
    name: String,
    module: String,
    path: String,
}

impl Terminal {
    /// On standard output: with colours and a live view if it is a terminal, plain lines if not.
    pub fn stdout(verbosity: u8, diff: bool) -> Self {
        let look = Look::of_stdout(verbosity, diff);
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        let stdout = std::io::stdout();
        let live = stdout.is_terminal() && !dumb;
        Self::new(look, Screen::new(stdout, look, live))
    }

    /// On any screen.
    pub fn new(look: Look, screen: Screen) -> Self {
        Self { look, screen, check: false, tasks: HashMap::new(), heading: None, loops: HashMap::new() }
    }

    fn text(&mut self, event: &Event) -> String {
        match event {
            Event::RunStarted { check, .. } => {
                self.check = *check;
                String::new()
            }
            Event::PlayStarted { play, hosts } => self.play(play, hosts),
            Event::TaskStarted { task, name, module, path, handler } => {
                let kind = if *handler { "RUNNING HANDLER" } else { "TASK" };
                let title = format!("{kind} [{}]", clean(name));
                let (name, module, path) = (clean(name), module.clone(), path.clone());
                self.tasks.insert(*task, Task { title, name, module, path });
                self.heading(*task)
            }
            Event::StepStarted { task, host } => {
                self.screen.begin(*task, host);
                String::new()
            }
            Event::StepRetrying { task, host, left } => {
                let mut text = self.heading(*task);
                let name = self.tasks.get(task).map_or("", |task| &task.name);
                let line = format!("FAILED - RETRYING: [{host}]: {name} ({left} retries left).");
                let _ = writeln!(text, "{}", self.look.paint(look::SKIPPED, &line));
                text
            }
            Event::Line { task, host, text } => {
                let line = clean(text).replace(['\n', '\t'], " ");
                self.screen.say(*task, host, &line);
                if self.look.verbosity < 2 {
                    return String::new();
                }
                let line = format!("    {host} | {line}");
                format!("{}{}\n", self.heading(*task), self.look.paint(look::FAINT, &line))
            }
            Event::ItemDone(done) => {
                let failed = matches!(done.status, Status::Failed | Status::Ignored | Status::Rescued);
                *self.loops.entry((done.task, done.host.clone())).or_default() |= failed;
                self.heading(done.task) + &self.done(done, true)
            }
            Event::StepDone(done) => {
                self.screen.end(done.task, &done.host);
                match self.loops.remove(&(done.task, done.host.clone())) {
                    Some(item_failed) => self.loop_done(done, item_failed),
                    None => self.heading(done.task) + &self.done(done, false),
                }
            }
            Event::Warning { text } => self.warning(text),
            Event::Error { text } => {
                self.look.paint(look::FAILED, &format!("[ERROR]: {}", clean(text).trim_end())) + "\n"
            }
            Event::Note { text } => {
                self.look.paint(look::SKIPPED, &format!("[NOTE]: {}", clean(text).trim_end())) + "\n"
            }
            Event::NoMoreHosts => {
                self.heading = None;
                self.look.heading("NO MORE HOSTS LEFT")
            }
            Event::RunEnded { recap, exit, round_trips, bytes, seconds } => {
                self.screen.end_all();
                // Ansible's, too, says nothing of hosts if a mistake ended it before any was at work.
                let recap = if recap.0.is_empty() && *exit != 0 { String::new() } else { self.recap(recap) };
                recap + &self.last_line(*exit, *round_trips, *bytes, *seconds)
            }
        }
    }

    fn play(&mut self, play: &str, hosts: &[String]) -> String {
        self.heading = None;
        let check = if self.check { " [CHECK MODE]" } else { "" };
        let mut text = self.look.heading(&format!("PLAY [{}]{check}", clean(play)));
        if hosts.is_empty() {
            let _ = writeln!(text, "{}", self.look.paint(look::SKIPPED, "skipping: no hosts matched"));
        }
        text
    }

    /// The task's heading, unless it is the last one printed: the steps of `strategy: free` come in any order.
    fn heading(&mut self, number: usize) -> String {
        let Some(task) = self.tasks.get(&number).filter(|_| self.heading != Some(number)) else {
            return String::new();
        };
        self.heading = Some(number);
        let mut text = self.look.heading(&task.title);
        if self.look.verbosity >= 2 {
            let _ = writeln!(text, "{}", self.look.paint(look::FAINT, &format!("task path: {}", task.path)));
        }
        text
    }

    /// Everything about a step or an item that is over.
    fn done(&self, done: &Done, item: bool) -> String {
        let module = self.tasks.get(&done.task).map_or("", |task| task.module.as_str());
        let (line, mut body) = self.line(done, item, module);
        body.extend(self.after(done));
        let mut text = self.look.paint(style(done.status), &line) + "\n";
        text += &indented(&body);
        if self.look.diff {
            text.extend(done.diffs.iter().map(|diff| diff::unified(diff, &self.look)));
        }
        text + &self.remarks(done, item)
    }

    /// The step of a loop: its items have said everything, unless the step itself failed.
    fn loop_done(&mut self, done: &Done, item_failed: bool) -> String {
        let failed = matches!(done.status, Status::Failed | Status::Ignored | Status::Rescued);
        if done.status == Status::Unreachable || (failed && !item_failed) {
            return self.heading(done.task) + &self.done(done, false);
        }
        let rest = indented(&self.after(done)) + &self.remarks(done, false);
        if rest.is_empty() { rest } else { self.heading(done.task) + &rest }
    }

    /// `changed: [host] => mode 0755 -> 0700`, and the lines below it that say more of the result.
    fn line(&self, done: &Done, item: bool, module: &str) -> (String, Vec<String>) {
        let host = match &done.delegate {
            Some(delegate) => format!("[{} -> {delegate}]", done.host),
            None => format!("[{}]", done.host),
        };
        let label = match &done.item {
            Some(label) if item => format!("(item={})", one_line(label)),
            _ => String::new(),
        };
        let result = &done.result;
        if matches!(done.status, Status::Failed | Status::Ignored | Status::Rescued | Status::Unreachable) {
            let mut message = message(result).lines().map(str::to_owned).collect::<Vec<_>>();
            let first = if message.is_empty() { unexplained(result) } else { message.remove(0) };
            let label = if label.is_empty() { label } else { format!(" {label}") };
            // Ansible's words, which people search logs for.
            let line = match done.status {
                Status::Unreachable => format!("fatal: {host}: UNREACHABLE!{label} => {first}"),
                _ if item => format!("failed: {host}{label} => {first}"),
                _ => format!("fatal: {host}: FAILED! => {first}"),
            };
            message.extend(self.fields(result, true));
            return (line, message);
        }

        let mut parts = vec![label];
        let mut body = Vec::new();
        match (done.status, module) {
            (Status::Ok | Status::Changed, "include_tasks" | "include_role") if result.contains_key("include") => {
                return (format!("included: {} for {}", message_of(result, "include"), done.host), body);
            }
            (Status::Ok | Status::Changed, "debug") => {
                let mut shown = readable(result);
                if shown.len() == 1 {
                    parts.push(shown.remove(0));
                }
                body = shown;
            }
            (Status::Ok, "assert") if !message(result).is_empty() && message(result) != "All assertions passed" => {
                parts.push(message(result));
            }
            // A module's own reason; that of a `when` is the playbook's business.
            (Status::Skipped, _)
                if result.contains_key("skipped")
                    && !result.contains_key("skip_reason")
                    && !result.contains_key("results") =>
            {
                parts.push(message(result));
            }
            (Status::Changed, _) => parts.push(diff::summary(&done.diffs)),
            _ => {}
        }
        if self.look.verbosity > 0 && module != "debug" {
            body = self.fields(result, false);
        }
        parts.retain(|part| !part.is_empty());
        let word = match done.status {
            Status::Changed => "changed",
            Status::Skipped => "skipping",
            _ => "ok",
        };
        let arrow = if parts.is_empty() && body.is_empty() { "" } else { " =>" };
        let line = parts.iter().fold(format!("{word}: {host}{arrow}"), |line, part| format!("{line} {part}"));
        (line, body)
    }

    /// The rest of a result, without what has been said already or says nothing.
    fn fields(&self, result: &Map, failed: bool) -> Vec<String> {
        let verbose = self.look.verbosity > 0;
        let wanted = |name: &str, value: &Value| match name {
            "msg" => !failed,
            "proofs"
            | "table"
            | "warnings"
            | "deprecations"
            | "failed"
            | "skipped"
            | "unreachable"
            | "results"
            | "diff"
            | "help"
            | "_ansible_item_label"
            | "stdout_lines"
            | "stderr_lines"
            | "failed_when_result" => false,
            "changed" | "start" | "end" | "delta" | "ansible_facts" => verbose,
            "invocation" => self.look.verbosity > 2,
            _ => verbose || !empty(value),
        };
        let mut lines = Vec::new();
        for (name, value) in result.iter().filter(|(name, value)| wanted(name, value)) {
            let mut field = match command_line(name, value) {
                Some(line) => vec![format!("{name}: {line}")],
                None => field(name, value),
            };
            if !verbose && field.len() > LINES + 2 {
                let gone = field.len() - 1 - LINES;
                field.splice(1..=gone, [format!("  ({gone} lines before; all of them with -v)")]);
            }
            lines.extend(field);
        }
        lines
    }

    /// Table, evidence, help: whatever the step ended as.
    fn after(&self, done: &Done) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(rows) = done.result.get("table") {
            lines.extend(table(rows, &self.look).unwrap_or_else(|| yaml(rows)));
        }
        let claims = done.proofs.iter().map(|proof| proof.claim.chars().count()).max().unwrap_or(0);
        for proof in &done.proofs {
            let line = format!("proven: {}  {}", look::pad(&clean(&proof.claim), claims), clean(&proof.evidence));
            lines.push(self.look.paint(look::PROOF, line.trim_end()));
        }
        if let Some(help) = &done.help {
            let help = clean(help);
            lines.extend(help.lines().enumerate().map(|(i, line)| {
                self.look.paint(look::HELP, &format!("{}{line}", if i == 0 { "help: " } else { "      " }))
            }));
        }
        lines
    }

    /// `...ignoring`, and the warnings of a result.
    fn remarks(&self, done: &Done, item: bool) -> String {
        let mut text = String::new();
        for name in ["warnings", "deprecations"] {
            for warning in done.result.get(name).and_then(Value::as_array).into_iter().flatten() {
                text += &self.warning(warning.get("msg").and_then(Value::as_str).unwrap_or(&one_line(warning)));
            }
        }
        let remark = match done.status {
            Status::Ignored if !item => "...ignoring",
            Status::Rescued if !item => "...rescued",
            _ => return text,
        };
        text + &self.look.paint(look::SKIPPED, remark) + "\n"
    }

    fn warning(&self, text: &str) -> String {
        self.look.paint(look::WARNING, &format!("[WARNING]: {}", clean(text).trim_end())) + "\n"
    }
}

impl Reporter for Terminal {
    fn event(&mut self, event: &Event) {
        let text = self.text(event);
        if !text.is_empty() {
            self.screen.print(&text);
        }
    }

    fn hush(&mut self) {
        self.screen.hush();
    }
}

fn indented(lines: &[String]) -> String {
    lines.iter().fold(String::new(), |text, line| match line.as_str() {
        "" => text + "\n",
        line => text + "    " + line + "\n",
    })
}

#[cfg(test)]
mod tests;
