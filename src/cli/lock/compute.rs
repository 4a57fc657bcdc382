//! The lock that an inventory gives: `playbooks/lock.yml`, run without any host.

use super::Trouble;
use crate::base::event::{Reporter, Status};
use crate::base::failure::{Context as _, Result};
use crate::base::{Event, Failure, Value};
use crate::cli::init;
use crate::cli::options::{self, HostArgs};
use crate::connect::AgentBinary;
use crate::language::template::Templates;
use crate::run::blobs::BlobStore;
use crate::run::{Context, Options, Run, Store};
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

/// A lock, and the folder of the inventory that gave it.
pub struct Computed {
    /// The file's text.
    pub text: String,
    /// The inventory's folder.
    pub folder: PathBuf,
}

/// The file that works it out, of the project.
const PLAYBOOK: &str = "playbooks/lock.yml";

/// Works it out. The project's own playbook and roles are taken: what they set counts for the network, too.
pub fn compute(inventory: &[String], extra: &[String]) -> std::result::Result<Computed, Trouble> {
    let Some(first) = inventory.first() else {
        return Err(Failure::new("there is no inventory")
            .help("name it: `chainwright lock -i inventories/main`")
            .into());
    };
    let folder = match Path::new(first) {
        path if path.is_dir() => path.to_owned(),
        path => path.parent().map(Path::to_owned).unwrap_or_default(),
    };
    let mut extra = extra.to_vec();
    // A lock that is there already has no say in what the inventory gives.
    extra.push(r#"{"write_lock": true, "network_lock": ""}"#.to_owned());
    let hosts = HostArgs { inventory: inventory.to_vec(), limit: None, extra_vars: extra };
    let own = own_playbook(&folder);
    let built_in = if own.is_none() { Some(BuiltIn::write()?) } else { None };
    let playbook = own.or_else(|| built_in.as_ref().map(|built_in| built_in.0.join(PLAYBOOK))).unwrap_or_default();
    let read = options::read(&hosts, std::slice::from_ref(&playbook)).map_err(Trouble::Files)?;
    options::complain(&read.warnings);
    let told = Rc::new(RefCell::new(Told::default()));
    let context = Context {
        options: Options { forks: 50, ..Options::default() },
        templates: Templates::new(),
        store: Arc::new(Store::default()),
        loader: read.loader,
        blobs: Arc::new(BlobStore::default()),
        agent: AgentBinary::at("/nonexistent"),
    };
    let reread = || Err(Failure::new("the inventory is not read again"));
    let run = Run::new(context, read.inventory, Box::new(reread), Box::new(Listener(told.clone())), read.extra);
    run.playbooks(&[playbook.display().to_string()], &read.playbooks);
    let told = told.take();
    match (told.failure, told.text) {
        (Some(failure), _) => Err(failure.into()),
        (None, Some(text)) => Ok(Computed { text, folder }),
        (None, None) => Err(Failure::new("the inventory has no nodes")
            .help(
                "the groups `sealers`, `bootnode` and `rpc` below the group `nodes` hold the network's hosts; what the members of an Aura \
                 consortium agree upon is its spec.json and reserved_peers, which have no lock",
            )
            .into()),
    }
}

/// The project's, found from here or from the inventory upwards.
fn own_playbook(folder: &Path) -> Option<PathBuf> {
    let here = PathBuf::from(PLAYBOOK);
    let above = std::path::absolute(folder).unwrap_or_default();
    let above: Vec<PathBuf> = above.ancestors().map(|folder| folder.join(PLAYBOOK)).collect();
    std::iter::once(here).chain(above).find(|path| path.is_file())
}

/// The playbooks and roles of this program, in a folder that goes with it.
struct BuiltIn(PathBuf);

impl BuiltIn {
    fn write() -> Result<Self> {
        let mut random = [0; 8];
        getrandom::fill(&mut random).context("the kernel gives no random numbers")?;
        let name = format!("chainwright-{}", alloy_primitives::hex::encode(random));
        let folder = Self(std::env::temp_dir().join(name));
        std::fs::create_dir(&folder.0).context(folder.0.display())?;
        for (path, bytes) in init::built_in() {
            let path = folder.0.join(path);
            std::fs::create_dir_all(path.parent().unwrap_or(&folder.0)).context(path.display())?;
            std::fs::write(&path, bytes).context(path.display())?;
        }
        Ok(folder)
    }
}

impl Drop for BuiltIn {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What a run has told.
#[derive(Default)]
struct Told {
    /// The task that works out the lock.
    task: Option<usize>,
    text: Option<String>,
    /// The first thing that went wrong.
    failure: Option<Failure>,
}

struct Listener(Rc<RefCell<Told>>);

impl Reporter for Listener {
    fn event(&mut self, event: &Event) {
        let mut told = self.0.borrow_mut();
        match event {
            Event::TaskStarted { task, module, .. } if module == "eth_network_lock" => told.task = Some(*task),
            Event::StepDone(done) if done.status == Status::Failed && told.failure.is_none() => {
                let message = done.result.get("msg").and_then(Value::as_str).unwrap_or("a task failed");
                let help = done.help.clone();
                told.failure = Some(Failure { help, ..Failure::new(message) });
            }
            Event::StepDone(done) if Some(done.task) == told.task => {
                told.text = done.result.get("text").and_then(Value::as_str).map(str::to_owned).or(told.text.take());
            }
            Event::Error { text } if told.failure.is_none() => {
                told.failure = Some(Failure::new(text.trim().trim_start_matches("error: ")));
            }
            _ => {}
        }
    }
}
