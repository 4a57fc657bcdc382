//! What the `eth_*` modules share: files that only a service may read, asking a node, lists of hosts.

use super::{BlobRef, Cx, Result};
use crate::base::{Diff, Failure, Value};
use crate::chain::rpc::Client;
use crate::chain::{Address, Header, clique};
use crate::system::{System, Traits};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::io::Read;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Owner and group by name, a mode in bits.
pub fn traits(system: &System, owner: Option<&str>, group: Option<&str>, mode: u32) -> Result<Traits> {
    let uid = owner.map(|owner| system.uid(owner)).transpose()?;
    let gid = group.map(|group| system.gid(group)).transpose()?;
    Ok(Traits { mode: Some(mode), uid, gid })
}

/// The same in check mode, where the user may be made only by the real run.
pub fn traits_or_later(cx: &Cx, owner: Option<&str>, group: Option<&str>, mode: u32) -> Result<Traits> {
    match traits(cx.system, owner, group, mode) {
        Err(_) if cx.check => Ok(Traits::mode(mode)),
        traits => traits,
    }
}

/// Gives something that exists the wanted owner, group and mode.
pub fn keep(cx: &mut Cx, path: &Path, wanted: Traits) -> Result<()> {
    let Some(meta) = cx.system.meta(path)? else { return Ok(()) };
    let name = path.display();
    let mut diffs = Vec::new();
    if let Some(uid) = wanted.uid.filter(|uid| *uid != meta.uid) {
        diffs.push(Diff::value(format!("{name} owner"), cx.system.user_name(meta.uid)?, cx.system.user_name(uid)?));
    }
    if let Some(gid) = wanted.gid.filter(|gid| *gid != meta.gid) {
        diffs.push(Diff::value(format!("{name} group"), cx.system.group_name(meta.gid)?, cx.system.group_name(gid)?));
    }
    if let Some(mode) = wanted.mode.filter(|mode| *mode != meta.mode) {
        diffs.push(Diff::value(format!("{name} mode"), format!("{:04o}", meta.mode), format!("{mode:04o}")));
    }
    for diff in diffs {
        cx.change(diff, |writer| writer.traits(path, wanted))?;
    }
    Ok(())
}

/// Makes a folder for secrets (0700) if it is missing, and gives it its owner.
pub fn private_folder(cx: &mut Cx, path: &Path, owner: Traits) -> Result<()> {
    let wanted = Traits { mode: Some(0o700), ..owner };
    if cx.system.meta(path)?.is_some() {
        return keep(cx, path, wanted);
    }
    cx.change(Diff::value(path.display().to_string(), "absent", "folder"), |writer| writer.folders(path, wanted))?;
    Ok(())
}

/// Reads a blob that is a small text.
pub fn small_text(cx: &Cx, blob: &BlobRef) -> Result<zeroize::Zeroizing<String>> {
    let mut text = zeroize::Zeroizing::new(String::new());
    let read = cx.blob(blob)?.take(1 << 20).read_to_string(&mut text);
    read.map_err(|_| Failure::new("the file to install is not a text"))?;
    Ok(text)
}

/// Entries by host: a table as it is, or the results of a loop, each under its `item`.
pub fn by_host(value: &Value) -> Result<Vec<(String, Value)>> {
    match value {
        Value::Object(map) => Ok(map.iter().map(|(name, value)| (name.clone(), value.clone())).collect()),
        Value::Array(items) => items
            .iter()
            .map(|item| match item.get("item").and_then(Value::as_str) {
                Some(name) => Ok((name.to_owned(), item.clone())),
                None => Err(Failure::new("an entry of the list has no `item` that names its host")
                    .help("give a table from host to value, or the `results` of a loop over hosts")),
            })
            .collect(),
        other => Err(Failure::new(format!("{other} is neither a table from host to value nor a list of results"))),
    }
}

/// A block as the modules speak of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: String,
    /// Seconds since 1970.
    pub time: u64,
    /// Who sealed it, with checksum; recovered from the seal. None for block 0 and where the engine is not Clique.
    #[serde(default)]
    pub sealer: Option<String>,
}

/// Asks for a block: `latest`, or `0x..`. None if the node has no such block.
pub fn block(client: &Client, which: &str) -> Result<Option<Block>> {
    let answer = client.call("eth_getBlockByNumber", json!([which, false]))?;
    if answer.is_null() {
        return Ok(None);
    }
    let header = Header::from_rpc(&answer)?;
    let hash = answer.get("hash").and_then(Value::as_str).unwrap_or_default().to_owned();
    let sealer = (header.number > 0).then(|| clique::sealer(&header).ok()).flatten();
    Ok(Some(Block {
        number: header.number,
        hash,
        time: header.timestamp,
        sealer: sealer.map(|address: Address| address.to_checksum(None)),
    }))
}

/// The newest blocks, newest first: at most `count`, block 0 included.
pub fn newest(client: &Client, count: u64) -> Result<Vec<Block>> {
    let mut blocks = Vec::new();
    let Some(head) = block(client, "latest")? else { return Ok(blocks) };
    let number = head.number;
    blocks.push(head);
    for number in (0..number).rev().take(usize::try_from(count.saturating_sub(1)).unwrap_or(usize::MAX)) {
        match block(client, &format!("{number:#x}"))? {
            Some(block) => blocks.push(block),
            None => break,
        }
    }
    Ok(blocks)
}

/// A number that the node answers as `0x..`.
pub fn quantity(client: &Client, method: &str) -> Result<u64> {
    crate::chain::quantity::small(&client.call(method, json!([]))?)
}

/// A time as people read it: `13:05:47Z`.
pub fn clock(seconds: u64) -> String {
    let time = i64::try_from(seconds).ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    time.map_or_else(|| seconds.to_string(), |time| time.strftime("%H:%M:%SZ").to_string())
}

/// The host's clock, in seconds since 1970.
#[expect(clippy::cast_precision_loss, reason = "microseconds are enough")]
pub fn now() -> f64 {
    jiff::Timestamp::now().as_microsecond() as f64 / 1e6
}

/// Tries until it says yes, the time is over, or the call is cancelled. The last answer comes back in any case.
pub fn wait<T>(system: &System, patience: Duration, mut attempt: impl FnMut() -> (bool, T)) -> Result<(bool, T)> {
    let deadline = Instant::now() + patience;
    loop {
        let (done, value) = attempt();
        if done || Instant::now() >= deadline {
            return Ok((done, value));
        }
        if system.cancelled.load(Ordering::Relaxed) {
            return Err(Failure::new("cancelled while waiting"));
        }
        std::thread::sleep(Duration::from_millis(250));
    }
}

/// Puts the evidence that was already there into a failure, so that it is shown with it.
pub fn with_proofs(failure: Failure, proofs: &[crate::base::event::Proof]) -> Failure {
    match serde_json::to_value(proofs) {
        Ok(value) => failure.with("proofs", value),
        Err(_) => failure,
    }
}

/// A table's text field.
pub fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

/// Whether an argument is not known yet, as in check mode before the run that makes it.
pub fn unknown(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty() || text == "None",
        _ => false,
    }
}

/// Whether something in an argument is not known yet, at any depth. Nothing at all is known.
pub fn has_unknown(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(has_unknown),
        Value::Object(table) => table.values().any(has_unknown),
        other => unknown(other),
    }
}
