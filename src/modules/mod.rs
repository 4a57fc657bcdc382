//! What a task can do. One file a module; [`REGISTRY`] is one line a module.

pub mod arguments;
pub mod attributes;
pub mod content;
pub mod context;
pub mod loose;
pub mod mode;
pub mod registry;
#[cfg(test)]
pub mod testing;

pub mod add_host;
pub mod apt;
pub mod archive;
pub mod assemble;
pub mod assert;
pub mod async_status;
pub mod blockinfile;
pub mod charon_dkg;
pub mod command;
pub mod copy;
pub mod cron;
pub mod debug;
pub mod dns_ceremony;
pub mod dns_ceremony_record;
pub mod dns_record;
pub mod edit;
mod eth;
pub mod eth_account;
pub mod eth_block;
pub mod eth_ceremony;
#[cfg(test)]
mod eth_ceremony_tests;
#[cfg(test)]
mod eth_chain_tests;
pub mod eth_client;
pub mod eth_contract;
pub mod eth_doctor;
pub mod eth_event;
pub mod eth_genesis;
pub mod eth_init;
pub mod eth_lock;
pub mod eth_locked;
pub mod eth_network;
pub mod eth_network_lock;
pub mod eth_node_key;
pub mod eth_observe;
pub mod eth_peers;
pub mod eth_preflight;
pub mod eth_quorum;
pub mod eth_rpc;
mod eth_sender;
mod eth_sent;
mod eth_standstill;
pub mod eth_start;
pub mod eth_static_peers;
pub mod eth_status;
pub mod eth_stop;
pub mod eth_synced;
#[cfg(test)]
mod eth_tests;
pub mod eth_transaction;
mod eth_turn;
mod eth_unit;
pub mod eth_upgrade;
pub mod eth_verify;
mod execution;
pub mod fail;
pub mod fetch;
pub mod file;
pub mod find;
pub mod get_url;
pub mod group;
pub mod group_by;
pub mod hostname;
pub mod http_options;
pub mod include_vars;
pub mod lineinfile;
pub mod meta;
pub mod package;
pub mod pause;
pub mod ping;
pub mod port_free;
mod program;
pub mod replace;
pub mod script;
pub mod service;
pub mod set_fact;
pub mod setup;
pub mod shell;
pub mod slurp;
pub mod stat;
pub mod systemd;
pub mod tempfile;
pub mod template;
pub mod unarchive;
mod unpack;
pub mod uri;
pub mod user;
pub mod wait_for;
pub mod wait_for_connection;

pub use context::{Blobs, Cx, NoBlobs};
use registry::pass_on;
pub use registry::{Entry, find, names};

pub use crate::language::TemplateOptions;

use crate::base::{Failure, Map};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io::Read;
use std::path::{Path, PathBuf};

type Result<T, E = Failure> = std::result::Result<T, E>;

/// Who else could tell whether a step has run: it decides what must wait for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Runs where the engine is and needs no connection: `debug`, `assert`, `set_fact`.
    Controller,
    /// Changes only what processes on the host itself can see: `file`, `template`, `user`.
    Host,
    /// May be seen from elsewhere: `command`, `service`, `uri`, chain RPC.
    World,
}

/// A module is its arguments: one struct, whose doc comments are the manual.
///
/// Fields without a default are required. Unknown arguments are refused before `run` (the registry compares names with
/// the schema), so do not use `deny_unknown_fields`. Use the types of [`loose`] for booleans, numbers, lists and modes:
/// templates and `k=v` give texts.
pub trait Module: DeserializeOwned + Serialize + JsonSchema + 'static {
    /// The name in playbooks; an Ansible module bears Ansible's.
    const NAME: &'static str;
    /// Other names of the same module (`systemd_service`).
    const ALSO: &'static [&'static str] = &[];
    /// One task, or a few, as YAML: shown by `doc`, parsed by a test.
    const EXAMPLE: &'static str;
    /// Who could tell.
    const REACH: Reach = Reach::World;
    /// Other names of arguments: `("dest", "path")` means that `dest` is read as `path`.
    const ALIASES: &'static [(&'static str, &'static str)] = &[];
    /// Arguments of Ansible's module that cannot be had here, each with what to write instead.
    const REFUSED: &'static [(&'static str, &'static str)] = &[];
    /// The argument that takes free text: `command: ls -l` fills `cmd`.
    const FREE_FORM: Option<&'static str> = None;
    /// Whether any argument is accepted beside the declared ones: `set_fact` makes variables of them.
    const OPEN: bool = false;
    /// Another module, to which arguments go that are not declared here: `package` gives them to `apt`.
    const PASSES_TO: Option<&'static str> = None;
    /// What the user can register. Must serialise to a table.
    type Output: Serialize;

    /// On the controller, before the arguments travel: find local files, render templates, make blobs.
    fn prepare(self, _controller: &dyn Controller) -> Result<Self> {
        Ok(self)
    }

    /// On the host: read, compare, change what differs. Reads through `cx.system`, writes only in `cx.change`.
    fn run(&self, cx: &mut Cx) -> Result<Self::Output>;

    /// On the controller, after a run that did not fail and not in check mode: `fetch` writes its local file here.
    fn receive(&self, _output: &mut Map, _controller: &dyn Controller) -> Result<()> {
        Ok(())
    }
}

/// Which template it is that is rendered: for messages, and for what Ansible lets a template say of itself.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// Its file.
    pub file: &'a Path,
    /// As the user wrote it, and where the result goes; `None` for a text that is no file.
    pub written: Option<(&'a str, &'a str)>,
}

/// What [`Module::prepare`] and [`Module::receive`] may do on the controller.
pub trait Controller {
    /// Finds a local file as Ansible does: `FOLDER/name` in the role, then the role itself, then the same beside the
    /// task file and the playbook; absolute paths as they are. `folder` is `files`, `templates`, `vars`, ... The failure
    /// lists where it searched.
    fn find(&self, folder: &str, name: &str) -> Result<PathBuf>;
    /// Renders a text as a template with the step's variables; the text is the file's.
    fn render(&self, of: &Origin<'_>, text: &str, options: &TemplateOptions) -> Result<String>;
    /// Keeps bytes for the host to ask for.
    fn blob(&self, bytes: Vec<u8>) -> BlobRef;
    /// Keeps a local file for the host to ask for, without reading it into memory.
    fn blob_file(&self, path: &Path) -> Result<BlobRef>;
    /// What a module on a host [gave](context::Blobs::give), once.
    fn arrived(&self, name: &str) -> Result<Box<dyn Read>>;
    /// The local folder against which relative paths are meant (the playbook's).
    fn folder(&self) -> PathBuf;
    /// Where the user wrote the value of an argument, or of an entry in it: `file:line:column`, through the variables that
    /// the value comes from. None if it stands in no file.
    fn place(&self, _argument: &[&str]) -> Option<String> {
        None
    }
}

/// An argument that names bytes which the controller keeps: made in `prepare`, read with [`Cx::blob`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BlobRef {
    /// Lower-case hex.
    pub sha256: String,
    /// In bytes.
    pub size: u64,
}
