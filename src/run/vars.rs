//! Every variable of a run: one store, from which each step gets its own view.

use crate::base::diagnostic::Checked;
use crate::base::failure::Result;
use crate::base::{Map, Value};
use crate::language::inventory::Inventory;
use crate::language::layers::{Layer, Scope, Table, Var, table};
use crate::language::loader::Loader;
use crate::language::playbook::Role;
use crate::language::variables::{Found, Variables};
use crate::plan::Entry;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

/// The tables of one level after the other.
pub type Layers = Vec<(Layer, Arc<Table>)>;

/// All variables of all hosts. The dispatcher writes between renderings; templates read.
#[derive(Debug, Default)]
pub struct Store {
    inner: RwLock<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    hosts: HashMap<String, HostVars>,
    names: Vec<String>,
    inventory: Arc<Inventory>,
    globals: Layers,
    play: Layers,
    roles: Vec<Arc<Role>>,
    role_names: Arc<Table>,
    folders: Vec<PathBuf>,
    hosts_of_play: PlayHosts,
}

/// Who takes part in a play: `ansible_play_hosts` and its kin.
#[derive(Debug, Default)]
pub struct PlayHosts {
    /// Everybody whom the play names, `--limit` considered.
    pub all: Vec<String>,
    /// The current batch.
    pub batch: Vec<String>,
    /// Who failed, did not answer or left, and from which position of the play on that is seen.
    pub gone: HashMap<String, usize>,
}

impl PlayHosts {
    /// The variables that are answered here.
    const NAMES: [&str; 4] = ["ansible_play_hosts_all", "ansible_play_hosts", "ansible_play_batch", "play_hosts"];

    fn get(&self, name: &str, position: usize) -> Option<Value> {
        let left = |hosts: &[String]| -> Value {
            let here = |host: &&String| self.gone.get(*host).is_none_or(|from| position < *from);
            hosts.iter().filter(here).map(|host| Value::from(host.as_str())).collect()
        };
        match name {
            _ if self.batch.is_empty() => None,
            "ansible_play_hosts_all" => Some(self.all.clone().into()),
            "ansible_play_hosts" => Some(left(&self.all)),
            "ansible_play_batch" | "play_hosts" => Some(left(&self.batch)),
            _ => None,
        }
    }
}

#[derive(Debug, Default, Clone)]
struct HostVars {
    inventory: Layers,
    magic: Arc<Table>,
    facts: Arc<Table>,
    ansible_facts: Arc<Value>,
    set: Arc<Table>,
    included: Arc<Table>,
    vars_files: Arc<Table>,
    /// How far the host has come in the current play; `usize::MAX` if nothing more is to come.
    settled: usize,
}

/// Names that steps of the batch in the making will set: a template that reads one must wait.
#[derive(Debug, Default, Clone)]
pub struct Pending {
    /// Registered names.
    pub names: HashSet<String>,
    /// Facts are on their way.
    pub facts: bool,
}

/// Turns data into variables.
pub fn data(map: &Map) -> Table {
    map.iter().map(|(name, value)| (name.clone(), Var::Value(Arc::new(value.clone())))).collect()
}

impl Store {
    /// Takes the inventory's variables over; called at the start, and for each play, whose folder may have its own.
    pub fn load_inventory(
        &self,
        inventory: &Inventory,
        folders: &[PathBuf],
        loader: &Loader,
        globals: Layers,
    ) -> Checked<()> {
        self.inner.write().expect("variables").globals = globals;
        self.refresh(inventory, folders, loader)
    }

    /// Takes over what the inventory has become (`add_host`, `group_by`).
    pub fn refresh(&self, inventory: &Inventory, folders: &[PathBuf], loader: &Loader) -> Checked<()> {
        let mut inner = self.inner.write().expect("variables");
        let groups: Value = inventory
            .groups
            .keys()
            .map(|group| (group.clone(), Value::from(inventory.hosts_of(group))))
            .collect::<Map>()
            .into();
        let groups = Arc::new(groups);
        inner.names = inventory.hosts.keys().map(ToString::to_string).collect();
        inner.inventory = Arc::new(inventory.hosts_and_groups());
        let names = inner.names.clone();
        let implicit = ["localhost".to_owned()];
        for name in names.iter().chain(implicit.iter().filter(|name| !names.contains(name))) {
            let mut magic = Table::default();
            let mut put = |name: &str, value: Value| {
                magic.insert(name.to_owned(), Var::Value(Arc::new(value)));
            };
            put("inventory_hostname", name.as_str().into());
            put("inventory_hostname_short", name.split('.').next().unwrap_or(name).into());
            put("group_names", inventory.group_names(name).into());
            magic.insert("groups".into(), Var::Value(groups.clone()));
            let host = inner.hosts.entry(name.clone()).or_default();
            host.inventory = inventory.host_layers(name, folders, loader)?;
            host.magic = Arc::new(magic);
            if host.ansible_facts.is_null() {
                host.ansible_facts = Arc::new(Value::Object(Map::new()));
            }
        }
        Ok(())
    }

    /// The hosts that a pattern means; none if it means nothing.
    pub fn select(&self, pattern: &str) -> Vec<String> {
        let inventory = self.inner.read().expect("variables").inventory.clone();
        inventory.select_with(pattern, &mut Vec::new())
    }

    /// The variables of the play that now runs, and the folders in which its templates search.
    pub fn begin_play(&self, play: Layers, folders: Vec<PathBuf>) {
        let mut inner = self.inner.write().expect("variables");
        inner.play = play;
        inner.folders = folders;
        inner.hosts_of_play = PlayHosts::default();
        for host in inner.hosts.values_mut() {
            host.settled = usize::MAX;
            host.vars_files = Arc::default();
        }
    }

    /// The roles that the play names.
    pub fn begin_roles(&self, roles: &[Arc<Role>]) {
        self.inner.write().expect("variables").roles.clear();
        self.add_roles(roles);
    }

    /// Roles that the play includes while it runs.
    pub fn add_roles(&self, roles: &[Arc<Role>]) {
        let mut inner = self.inner.write().expect("variables");
        inner.roles.extend(roles.iter().cloned());
        inner.role_names = Arc::new(super::role_names::table(&inner.roles));
    }

    /// Who takes part in the batch that now runs.
    pub fn begin_batch(&self, hosts: PlayHosts) {
        self.inner.write().expect("variables").hosts_of_play = hosts;
    }

    /// A host takes no further part: steps from `position` on see that.
    pub fn leave(&self, host: &str, position: usize) {
        self.inner.write().expect("variables").hosts_of_play.gone.entry(host.to_owned()).or_insert(position);
    }

    /// A host takes part again (`meta: clear_host_errors`).
    pub fn rejoin(&self, host: &str) {
        self.inner.write().expect("variables").hosts_of_play.gone.remove(host);
    }

    /// `count` entries were inserted behind `position`.
    pub fn inserted(&self, position: usize, count: usize) {
        for from in self.inner.write().expect("variables").hosts_of_play.gone.values_mut() {
            if *from > position + 1 {
                *from += count;
            }
        }
    }

    /// `ansible_play_hosts` and its kin as a step at `position` sees them: once everybody has come that far.
    fn play_hosts(&self, host: &str, name: &str, position: usize) -> Found {
        let inner = self.inner.read().expect("variables");
        let Some(value) = inner.hosts_of_play.get(name, position) else { return Found::Missing };
        let behind =
            |other: &String| other != host && inner.hosts.get(other).is_some_and(|other| other.settled < position);
        if name != "ansible_play_hosts_all" && inner.hosts_of_play.batch.iter().any(behind) {
            return Found::Wait;
        }
        Found::Value(Arc::new(value))
    }

    /// Tells how far a host has come.
    pub fn settle(&self, host: &str, position: usize) {
        if let Some(host) = self.inner.write().expect("variables").hosts.get_mut(host) {
            host.settled = position;
        }
    }

    /// Adds what `set_fact` and `register` set.
    pub fn set(&self, host: &str, values: Table) {
        if let Some(host) = self.inner.write().expect("variables").hosts.get_mut(host) {
            Arc::make_mut(&mut host.set).extend(values);
        }
    }

    /// Adds what `include_vars` read.
    pub fn include(&self, host: &str, values: Table) {
        if let Some(host) = self.inner.write().expect("variables").hosts.get_mut(host) {
            Arc::make_mut(&mut host.included).extend(values);
        }
    }

    /// Sets what `vars_files` give for a host in this play.
    pub fn set_vars_files(&self, host: &str, values: Table) {
        if let Some(host) = self.inner.write().expect("variables").hosts.get_mut(host) {
            host.vars_files = Arc::new(values);
        }
    }

    /// Adds facts: both as `ansible_NAME` and in `ansible_facts`.
    pub fn add_facts(&self, host: &str, facts: &Map) {
        if let Some(host) = self.inner.write().expect("variables").hosts.get_mut(host) {
            Arc::make_mut(&mut host.facts).extend(data(facts));
            if let Value::Object(all) = Arc::make_mut(&mut host.ansible_facts) {
                for (name, value) in facts {
                    let short = name.strip_prefix("ansible_").unwrap_or(name);
                    all.insert(short.to_owned(), value.clone());
                }
            }
        }
    }

    /// Forgets facts and what `set_fact` cached (`meta: clear_facts`).
    pub fn clear_facts(&self, host: &str) {
        if let Some(host) = self.inner.write().expect("variables").hosts.get_mut(host) {
            host.facts = Arc::default();
            host.ansible_facts = Arc::new(Value::Object(Map::new()));
        }
    }

    /// What a template of `entry` on `host` sees. `extra` holds loop variables and the like; `position` is the
    /// step's place in the play, up to which other hosts must have come before they are read.
    pub fn step(
        self: &Arc<Self>,
        host: &str,
        entry: &Entry,
        extra: Table,
        pending: Pending,
        position: usize,
    ) -> Arc<dyn Variables> {
        let task = entry.task();
        let role = task.and_then(|task| task.role.as_ref());
        let inner = self.inner.read().expect("variables");
        let mut scope = inner.base(host);
        if let Some(role) = role {
            scope.push(Layer::RoleVars, Arc::new(table(&role.given)));
        }
        // A role that was included lends its variables to the roles that it uses itself.
        for role in entry.include_vars.iter().filter_map(|(_, role)| role.as_ref()) {
            scope.push(Layer::RoleDefaults, Arc::new(table(&role.defaults)));
            scope.push(Layer::RoleVars, Arc::new(table(&role.vars)));
        }
        if let Some(role) = role {
            scope.push(Layer::RoleDefaults, Arc::new(table(&role.defaults)));
            scope.push(Layer::RoleVars, Arc::new(table(&role.vars)));
            scope.push(Layer::RoleParams, Arc::new(table(&role.params)));
            scope.push(Layer::Magic, Arc::new(role_magic(role)));
        }
        for (level, keywords) in entry.outer.iter().enumerate() {
            if let Some(vars) = keywords.vars.as_ref().filter(|_| level > 0) {
                scope.push(Layer::BlockVars, Arc::new(table(vars.entries())));
            }
        }
        for (vars, _) in entry.include_vars.iter() {
            scope.push(Layer::IncludeParams, Arc::new(table(vars.entries())));
        }
        if let Some(vars) = task.and_then(|task| task.keywords.vars.as_ref()) {
            scope.push(Layer::TaskVars, Arc::new(table(vars.entries())));
        }
        if !extra.is_empty() {
            scope.push(Layer::Magic, Arc::new(extra));
        }
        let mut folders = Vec::new();
        if let Some(role) = role {
            folders.push(role.path.clone());
        }
        if let Some(task) = task {
            folders.push(task.folder.clone());
        }
        folders.extend(inner.folders.iter().cloned());
        Arc::new(View {
            store: self.clone(),
            host: host.to_owned(),
            facts: inner.hosts.get(host).map(|host| host.ansible_facts.clone()).unwrap_or_default(),
            scope,
            wait: false,
            position,
            pending: Arc::new(pending),
            folders,
        })
    }

    /// What a host's variables are outside of any task: for connections and `hostvars`.
    pub fn host(self: &Arc<Self>, host: &str, position: usize) -> Option<Arc<dyn Variables>> {
        let inner = self.inner.read().expect("variables");
        let found = inner.hosts.get(host)?;
        Some(Arc::new(View {
            store: self.clone(),
            host: host.to_owned(),
            facts: found.ansible_facts.clone(),
            scope: inner.base(host),
            wait: found.settled < position,
            position,
            pending: Arc::default(),
            folders: inner.folders.clone(),
        }))
    }
}

fn role_magic(role: &Role) -> Table {
    let value = |value: Value| Var::Value(Arc::new(value));
    let parents: Vec<&str> = role.parents.iter().map(AsRef::as_ref).collect();
    Table::from_iter([
        ("role_name".to_owned(), value(role.name.as_ref().into())),
        ("ansible_role_name".to_owned(), value(role.name.as_ref().into())),
        ("role_path".to_owned(), value(role.path.display().to_string().into())),
        ("ansible_parent_role_names".to_owned(), value(parents.into())),
    ])
}

impl Inner {
    fn base(&self, name: &str) -> Scope {
        let mut scope = Scope::default();
        for (layer, table) in self.globals.iter().chain(&self.play) {
            scope.push(*layer, table.clone());
        }
        scope.push(Layer::Magic, self.role_names.clone());
        if let Some(host) = self.hosts.get(name) {
            for (layer, table) in &host.inventory {
                scope.push(*layer, table.clone());
            }
            for (layer, table) in [
                (Layer::Facts, &host.facts),
                (Layer::VarsFiles, &host.vars_files),
                (Layer::IncludeVars, &host.included),
                (Layer::SetFacts, &host.set),
                (Layer::Magic, &host.magic),
            ] {
                if !table.is_empty() {
                    scope.push(layer, table.clone());
                }
            }
        }
        scope
    }
}

/// One step's view of the store.
#[derive(Debug)]
struct View {
    store: Arc<Store>,
    host: String,
    facts: Arc<Value>,
    scope: Scope,
    /// Another host that has not come far enough: nothing of it may be read yet.
    wait: bool,
    position: usize,
    pending: Arc<Pending>,
    folders: Vec<PathBuf>,
}

impl Variables for View {
    fn get(&self, name: &str) -> Found {
        if self.wait || self.pending.names.contains(name) {
            return Found::Wait;
        }
        let fact = name.starts_with("ansible_");
        if fact && self.pending.facts && matches!(name, "ansible_facts" | "ansible_local") {
            return Found::Wait;
        }
        match self.scope.get(name) {
            Some((Var::Node(node), _)) => Found::Node(node.clone()),
            Some((Var::Value(value), _)) => Found::Value(value.clone()),
            None if name == "ansible_facts" => Found::Value(self.facts.clone()),
            None if name == "ansible_search_path" => {
                let folders = self.folders.iter().map(|folder| Value::from(folder.display().to_string()));
                Found::Value(Arc::new(folders.collect()))
            }
            None if PlayHosts::NAMES.contains(&name) => self.store.play_hosts(&self.host, name, self.position),
            None if fact && self.pending.facts => Found::Wait,
            None => Found::Missing,
        }
    }

    fn names(&self) -> Vec<String> {
        let none = self.store.inner.read().expect("variables").hosts_of_play.batch.is_empty();
        let more = PlayHosts::NAMES.iter().filter(|_| !none).map(ToString::to_string);
        self.scope.names().into_iter().chain(more).collect()
    }

    fn host(&self, name: &str) -> Option<Arc<dyn Variables>> {
        if name == self.host {
            let inner = self.store.inner.read().expect("variables");
            return Some(Arc::new(Self {
                scope: inner.base(name),
                store: self.store.clone(),
                host: self.host.clone(),
                facts: self.facts.clone(),
                pending: self.pending.clone(),
                folders: self.folders.clone(),
                ..*self
            }));
        }
        self.store.host(name, self.position)
    }

    fn hosts(&self) -> Vec<String> {
        self.store.inner.read().expect("variables").names.clone()
    }

    fn folders(&self) -> Vec<PathBuf> {
        self.folders.clone()
    }

    fn fetch(&self, url: &str, options: &Map) -> Result<String> {
        super::fetch::text(url, options)
    }

    fn select(&self, pattern: &str) -> Vec<String> {
        self.store.select(pattern)
    }

    fn of_template(&self, file: &Path, written: &str) -> Table {
        super::managed::own(file, written, None)
    }
}
