//! `wait_for_connection`: waits until a host can be reached.

use super::loose::Number;
use super::{Cx, Module, Reach, Result};
use crate::base::Map;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Waits until a host answers and an agent runs there, for instance after a reboot. The engine connects; times in seconds.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct WaitForConnection {
    /// How long one attempt may take.
    #[serde(default = "five")]
    pub connect_timeout: Number,
    /// How long to wait before the first attempt.
    #[serde(default)]
    pub delay: Number,
    /// How long to wait between attempts.
    #[serde(default = "one")]
    pub sleep: Number,
    /// How long to try at all.
    #[serde(default = "six_hundred")]
    pub timeout: Number,
    /// How many seconds it took; the engine fills it in.
    #[serde(default, rename = "_elapsed")]
    #[schemars(skip)]
    pub elapsed: f64,
}

fn five() -> Number {
    Number(5)
}
fn one() -> Number {
    Number(1)
}
fn six_hundred() -> Number {
    Number(600)
}

impl Module for WaitForConnection {
    const NAME: &'static str = "wait_for_connection";
    const EXAMPLE: &'static str = "\
- wait_for_connection:
    delay: 5
    timeout: 120";
    const REACH: Reach = Reach::Controller;
    type Output = Map;

    fn run(&self, _: &mut Cx) -> Result<Map> {
        let elapsed = Duration::try_from_secs_f64(self.elapsed).unwrap_or_default();
        Ok(Map::from_iter([("elapsed".to_owned(), elapsed.as_secs().into())]))
    }
}
