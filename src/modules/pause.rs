//! `pause`: waits, for a time or for the person at the terminal.

use super::loose::{Flag, Number, Text, yes};
use super::{Cx, Module, Reach, Result};
use crate::base::{Failure, Map};
use jiff::{SignedDuration, Zoned};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Waits once for all hosts: for a time, or until Enter is pressed. The engine does the waiting.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Pause {
    /// How many seconds to wait.
    #[serde(default)]
    pub seconds: Option<Number>,
    /// How many minutes to wait.
    #[serde(default)]
    pub minutes: Option<Number>,
    /// What to ask; without `seconds` and `minutes` the run waits for an answer.
    #[serde(default)]
    pub prompt: Option<Text>,
    /// Show what is typed.
    #[serde(default = "yes")]
    pub echo: Flag,
    /// What was typed; the engine fills it in.
    #[serde(default, rename = "_user_input")]
    #[schemars(skip)]
    pub user_input: String,
    /// How many seconds the wait took; the engine fills it in.
    #[serde(default, rename = "_waited")]
    #[schemars(skip)]
    pub waited: f64,
}

impl Pause {
    /// How long to wait; `None` is: until somebody answers.
    pub fn duration(&self) -> Result<Option<Duration>> {
        let seconds = match (self.seconds, self.minutes) {
            (Some(_), Some(_)) => return Err(Failure::new("pause takes `seconds` or `minutes`, not both")),
            (Some(Number(seconds)), None) => seconds,
            (None, Some(Number(minutes))) => minutes.saturating_mul(60),
            (None, None) => return Ok(None),
        };
        // Ansible waits at least a second; a negative time is a slip, not a wish.
        Ok(Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0).max(1))))
    }
}

impl Module for Pause {
    const NAME: &'static str = "pause";
    const EXAMPLE: &'static str = "\
- pause:
    prompt: Is the old network stopped everywhere? Press Enter to go on
- pause:
    seconds: 5";
    const REACH: Reach = Reach::Controller;
    type Output = Map;

    fn run(&self, _: &mut Cx) -> Result<Map> {
        self.duration()?;
        let stop = Zoned::now();
        let waited = SignedDuration::try_from_secs_f64(self.waited).unwrap_or_default();
        let moment = |at: &Zoned| at.strftime("%Y-%m-%d %H:%M:%S.%6f").to_string();
        Ok(Map::from_iter([
            ("start".to_owned(), moment(&stop.saturating_sub(waited)).into()),
            ("stop".to_owned(), moment(&stop).into()),
            ("stderr".to_owned(), "".into()),
            ("user_input".to_owned(), self.user_input.clone().into()),
            ("echo".to_owned(), self.echo.0.into()),
            ("delta".to_owned(), Duration::try_from_secs_f64(self.waited.round()).unwrap_or_default().as_secs().into()),
            ("stdout".to_owned(), format!("Paused for {:.2} seconds", self.waited).into()),
            ("rc".to_owned(), 0.into()),
        ]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pause(args: serde_json::Value) -> Pause {
        serde_json::from_value(args).unwrap()
    }

    #[test]
    fn a_pause_has_a_length_or_waits_for_an_answer() {
        use serde_json::json;
        assert_eq!(pause(json!({"minutes": "2"})).duration().unwrap(), Some(Duration::from_mins(2)));
        assert_eq!(pause(json!({"seconds": 0})).duration().unwrap(), Some(Duration::from_secs(1)));
        assert_eq!(pause(json!({"prompt": "go on?"})).duration().unwrap(), None);
        assert!(pause(json!({"seconds": 1, "minutes": 1})).duration().is_err());
    }
}
