//! `ping`: is the agent there?

use super::{Cx, Module, Reach, Result};
use crate::base::Failure;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Proves that a host can be reached, logged in to, and that the agent runs there.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Ping {
    /// What to return; `crash` makes it fail, for a test of what happens then.
    #[serde(default = "pong")]
    pub data: String,
}

fn pong() -> String {
    "pong".into()
}

/// What `ping` returns.
#[derive(Debug, Serialize)]
pub struct Output {
    ping: String,
}

impl Module for Ping {
    const NAME: &'static str = "ping";
    const EXAMPLE: &'static str = "- ping:";
    const REACH: Reach = Reach::Host;
    type Output = Output;

    fn run(&self, _: &mut Cx) -> Result<Output> {
        if self.data == "crash" {
            return Err(Failure::new("boom"));
        }
        Ok(Output { ping: self.data.clone() })
    }
}
