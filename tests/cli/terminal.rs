//! On a terminal: what is drawn while steps run, what stays of it, prompts, Ctrl-C. The terminal is one of `script`'s.

use crate::project::Project;
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(20);
const CTRL_C: &str = "\x03";

/// A command that says something and lasts until there is a file `go`.
const SLOW: &str = r#"
- hosts: a
  gather_facts: false
  tasks:
    - shell: echo working; until [ -e go ]; do sleep 0.05; done
      args: {chdir: "{{ playbook_dir }}"}
    - debug: {msg: after}
"#;

/// A terminal in which `chainwright playbook` runs.
struct Terminal {
    project: Project,
    child: Child,
    keyboard: ChildStdin,
    printed: Arc<Mutex<Vec<u8>>>,
}

impl Terminal {
    fn run(project: Project, playbook: &str, more: &str) -> Self {
        let project = project.file("site.yml", playbook);
        let line = format!(
            "trap : INT; stty cols 100 rows 30; stty -g > before; {} playbook -i hosts.yml site.yml {more}; echo exit $?; \
             stty -g > after",
            env!("CARGO_BIN_EXE_chainwright")
        );
        let mut child = Command::new("script")
            .args(["--quiet", "--flush", "--return", "--command", &line, "/dev/null"])
            .current_dir(project.path())
            .env("TERM", "xterm")
            .env("SHELL", "/bin/sh")
            .env("XDG_STATE_HOME", project.path().join(".state"))
            .env_remove("NO_COLOR")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("script starts");
        let keyboard = child.stdin.take().expect("a keyboard");
        let mut output = child.stdout.take().expect("a screen");
        let printed = Arc::<Mutex<Vec<u8>>>::default();
        let keep = Arc::clone(&printed);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                keep.lock().expect("the screen").extend_from_slice(&bytes[..count]);
            }
        });
        Self { project, child, keyboard, printed }
    }

    fn types(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).expect("somebody reads the keyboard");
    }

    fn everything(&self) -> String {
        String::from_utf8_lossy(&self.printed.lock().expect("the screen")).into_owned()
    }

    /// Waits until the screen shows this.
    fn shows(&self, text: &str) {
        let deadline = Instant::now() + SOON;
        while !screen(&self.everything()).contains(text) {
            assert!(Instant::now() < deadline, "`{text}` does not come\n{}", self.everything());
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    fn may_go_on(&self) {
        std::fs::write(self.project.path().join("go"), "").expect("a file");
    }

    /// Waits for the end, which is this exit code; returns what the screen shows then. The terminal must be as it was.
    fn ends(mut self, code: u8) -> String {
        self.shows(&format!("exit {code}\n"));
        let deadline = Instant::now() + SOON;
        while self.child.try_wait().expect("a child").is_none() {
            assert!(Instant::now() < deadline, "script does not end");
            std::thread::park_timeout(Duration::from_millis(20));
        }
        let settings = |name| std::fs::read_to_string(self.project.path().join(name)).expect("the terminal's settings");
        assert_eq!(settings("before"), settings("after"));
        screen(&self.everything())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a terminal shows after these bytes: as much of one as our output needs, without scrolling.
fn screen(bytes: &str) -> String {
    let mut lines: Vec<Vec<char>> = vec![vec![]];
    let (mut row, mut column) = (0, 0);
    let mut rest = bytes.chars();
    while let Some(letter) = rest.next() {
        match letter {
            '\r' => column = 0,
            '\n' => {
                row += 1;
                lines.resize(lines.len().max(row + 1), vec![]);
            }
            '\u{1b}' => {
                let mut number = String::new();
                let order = rest.by_ref().skip(1).find(|c| {
                    let ends = c.is_ascii_alphabetic();
                    if !ends {
                        number.push(*c);
                    }
                    ends
                });
                match order {
                    Some('m') => {}
                    Some('A') => row -= number.parse::<usize>().expect("lines to go up"),
                    Some('J') => {
                        lines.truncate(row + 1);
                        lines[row].truncate(column);
                    }
                    other => panic!("an order that is not known here: {number}{other:?}"),
                }
            }
            letter => {
                let line = &mut lines[row];
                line.resize(line.len().max(column + 1), ' ');
                line[column] = letter;
                column += 1;
            }
        }
    }
    lines.iter().fold(String::new(), |text, line| text + line.iter().collect::<String>().trim_end() + "\n")
}

#[test]
fn a_running_step_is_shown_with_its_last_line_and_leaves_only_its_result() {
    let terminal = Terminal::run(Project::new(), SLOW, "");
    terminal.shows("\n  a     0 s  working\n");
    terminal.may_go_on();
    let everything = Arc::clone(&terminal.printed);
    let screen = terminal.ends(0);
    let place = screen.find("TASK [shell]").expect("a heading");
    assert!(screen[place..].lines().nth(1).is_some_and(|line| line.starts_with("changed: [a] => run: ")), "{screen}");
    assert!(!screen.contains("\n  a  ") && screen.contains("\nok: [a] => after\n"), "{screen}");
    assert!(String::from_utf8_lossy(&everything.lock().expect("bytes")).contains("\u{1b}[32mok: [a]"), "colours");
}

#[test]
fn ctrl_c_twice_ends_the_run_and_leaves_the_terminal_as_it_was() {
    let mut terminal = Terminal::run(Project::new(), SLOW, "--color never");
    terminal.shows("working");
    terminal.types(CTRL_C);
    terminal.shows("press Ctrl-C again to end them now");
    terminal.types(CTRL_C);
    let screen = terminal.ends(99);
    assert!(screen.contains("\nPLAY RECAP ****") && screen.contains("\nInterrupted (exit code 99)"), "{screen}");
    assert!(!screen.contains("ok: [a]") && !screen.contains("\n  a  "), "{screen}");
}

#[test]
fn an_answer_that_is_private_is_not_shown_and_ctrl_c_at_its_prompt_ends_the_run() {
    let play = "- hosts: a\n  gather_facts: false\n  vars_prompt: [{name: word, prompt: The word}]\n  tasks:\n    - debug: {msg: 'it has {{ word | length }}'}\n    - {pause: {prompt: Go on}, register: typed}\n    - debug: {msg: 'typed {{ typed.user_input }}'}\n";
    let mut terminal = Terminal::run(Project::new(), play, "");
    terminal.shows("The word:");
    terminal.types("open-sesame\r");
    terminal.shows("it has 11");
    terminal.shows("Go on:");
    terminal.types("gladly\r");
    let screen = terminal.ends(0);
    assert!(!screen.contains("sesame") && screen.contains("ok: [a] => typed gladly"), "{screen}");
    for (answers, prompt) in [(&[][..], "The word:"), (&["x\r"], "Go on:")] {
        let mut terminal = Terminal::run(Project::new(), play, "");
        for answer in answers {
            terminal.shows("The word:");
            terminal.types(answer);
        }
        terminal.shows(prompt);
        terminal.types(CTRL_C);
        terminal.ends(99);
    }
    let mut terminal = Terminal::run(Project::new(), play, "-K");
    terminal.shows("BECOME password:");
    terminal.types(CTRL_C);
    terminal.ends(99);
}
