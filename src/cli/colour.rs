//! Whether the output has colours: `--color`, or what the environment says.

use anstream::ColorChoice;
use clap::ValueEnum;

/// `--color`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// On a terminal.
    #[default]
    Auto,
    /// In a pipe, too.
    Always,
    /// Nowhere.
    Never,
}

/// Settles it for everything that this process prints.
pub fn choose(when: When) {
    choice(when, |name| std::env::var(name).ok()).write_global();
}

/// What the command line says wins; then whoever forces colours, as with Ansible; then `NO_COLOR` and Ansible's word for it.
fn choice(when: When, environment: impl Fn(&str) -> Option<String>) -> ColorChoice {
    let set = |name: &str| {
        let value = environment(name).unwrap_or_default().to_ascii_lowercase();
        !matches!(value.as_str(), "" | "0" | "false" | "no" | "off" | "n" | "f")
    };
    match when {
        When::Always => ColorChoice::Always,
        When::Never => ColorChoice::Never,
        When::Auto if set("ANSIBLE_FORCE_COLOR") || set("FORCE_COLOR") => ColorChoice::Always,
        // <https://no-color.org>: whatever its value, unless that is empty.
        When::Auto if set("ANSIBLE_NOCOLOR") || environment("NO_COLOR").is_some_and(|value| !value.is_empty()) => {
            ColorChoice::Never
        }
        When::Auto => ColorChoice::Auto,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_wins_over_the_environment_and_force_over_no() {
        for (when, environment, expected) in [
            (When::Auto, "", ColorChoice::Auto),
            (When::Auto, "NO_COLOR=0", ColorChoice::Never),
            (When::Auto, "ANSIBLE_NOCOLOR=1", ColorChoice::Never),
            (When::Auto, "FORCE_COLOR=0", ColorChoice::Auto),
            (When::Auto, "FORCE_COLOR=1 NO_COLOR=1", ColorChoice::Always),
            (When::Auto, "ANSIBLE_FORCE_COLOR=true", ColorChoice::Always),
            (When::Always, "NO_COLOR=1", ColorChoice::Always),
            (When::Never, "FORCE_COLOR=1", ColorChoice::Never),
        ] {
            let found = choice(when, |name| {
                environment.split(' ').find_map(|set| set.strip_prefix(name)?.strip_prefix('=').map(str::to_owned))
            });
            assert_eq!(found, expected, "{when:?} {environment}");
        }
    }
}
