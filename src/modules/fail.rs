//! `fail`: stops with a message.

use super::loose::Text;
use super::{Cx, Module, Reach, Result};
use crate::base::{Failure, Map};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Fails with a message; give it a `when`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Fail {
    /// Why.
    #[serde(default = "as_requested")]
    pub msg: Text,
}

fn as_requested() -> Text {
    Text("Failed as requested from task".into())
}

impl Module for Fail {
    const NAME: &'static str = "fail";
    const EXAMPLE: &'static str = "\
- fail:
    msg: This network has no sealers
  when: groups['sealers'] | length == 0";
    const REACH: Reach = Reach::Controller;
    type Output = Map;

    fn run(&self, _: &mut Cx) -> Result<Map> {
        Err(Failure::new(self.msg.0.clone()))
    }
}
