//! `slurp`: the content of a file, as a value.

use super::loose::Text;
use super::{Cx, Module, Reach, Result};
use crate::base::Failure;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Larger files would not fit into a frame of the protocol once they are base64.
const MOST: u64 = 10 << 20;

/// Reads a file of the host; `content` is base64: `{{ result.content | b64decode }}`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Slurp {
    /// The file, at most 10 MiB.
    pub src: Text,
}

/// What `slurp` returns.
#[derive(Debug, Serialize)]
pub struct Output {
    content: String,
    source: String,
    encoding: &'static str,
}

impl Module for Slurp {
    const NAME: &'static str = "slurp";
    const EXAMPLE: &'static str = "\
- slurp: {src: /etc/machine-id}
  register: id
- debug: {msg: \"{{ id.content | b64decode | trim }}\"}";
    const REACH: Reach = Reach::Host;
    const ALIASES: &'static [(&'static str, &'static str)] = &[("path", "src")];
    type Output = Output;

    fn run(&self, cx: &mut Cx) -> Result<Output> {
        let path = cx.system.expand(&self.src.0)?;
        if let Some(meta) = cx.system.meta_followed(&path)?.filter(|meta| meta.size > MOST) {
            let (size, most) = (meta.size >> 20, MOST >> 20);
            return Err(Failure::new(format!("{}: it has {size} MiB; at most {most} can be read", path.display())));
        }
        let content = STANDARD.encode(cx.system.read(&path)?);
        Ok(Output { content, source: path.display().to_string(), encoding: "base64" })
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Host, assert_output};
    use serde_json::json;

    #[test]
    fn a_file_comes_back_as_base64() {
        let host = Host::new();
        host.file("/f", [0, 255]);
        let done = host.check_apply_apply("slurp", json!({"path": "/f"}));
        assert_output(&done.output, json!({"content": "AP8=", "source": "/f", "encoding": "base64"}));
        assert_eq!(host.fails("slurp", json!({"src": "/no"})), "/no: cannot read: no such file or folder");
    }
}
