//! The run: plays one after the other, each in batches of hosts; the dispatcher is the sole owner of a run's state.

mod batch;
pub mod blobs;
mod complete;
pub mod context;
mod dispatch;
mod effects;
mod fetch;
mod files;
mod guard;
mod handlers;
mod include;
mod loops;
mod managed;
mod place;
mod play;
mod play_vars;
pub mod pool;
pub mod prompt;
mod replies;
mod result;
mod role_names;
pub mod screen;
pub mod select;
mod signals;
mod special;
mod step;
mod target;
mod turn;
mod vars;
mod waits;

pub use context::{Context, Options};
pub use vars::Store;

use crate::base::event::Reporter;
use crate::base::{Diagnostic, Event, Failure, Map, Value};
use crate::language::inventory::Inventory;
use crate::language::layers::{Layer, Table};
use crate::language::playbook::{Play, Playbook};
use crate::language::serial;
use crate::plan::{Entry, flatten_play};
use context::Missing;
use guard::Guard;
use handlers::Ledger;
use play::{Member, PlayRun};
use pool::{Message, Pool};
use screen::Screen;
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;
use vars::PlayHosts;

/// Exit code after Ctrl-C.
pub const INTERRUPTED: u8 = 99;

/// A whole run.
pub struct Run {
    context: Context,
    inventory: Inventory,
    reread: Box<dyn Fn() -> Result<Inventory, Failure>>,
    screen: Screen,
    pool: Pool,
    inbox: Receiver<Message>,
    next_batch: u64,
    interrupts: u8,
    /// Hosts that failed or did not answer: they take no part in later plays.
    lost: HashSet<String>,
    ledger: Ledger,
    extra: Table,
    started: bool,
}

impl Run {
    /// A run that has not begun. `reread` reads the inventory anew, for `meta: refresh_inventory`.
    pub fn new(
        context: Context,
        inventory: Inventory,
        reread: Box<dyn Fn() -> Result<Inventory, Failure>>,
        reporter: Box<dyn Reporter>,
        extra: Table,
    ) -> Self {
        let (sender, inbox) = channel();
        signals::listen(sender.clone());
        let pool = Pool::new(sender, context.blobs.clone());
        let started = context.options.start_at.is_none();
        let mut screen = Screen::new(reporter);
        if let Some(password) = &context.options.become_password {
            screen.mask.add(password);
        }
        Self {
            context,
            inventory,
            reread,
            screen,
            pool,
            inbox,
            next_batch: 0,
            interrupts: 0,
            lost: HashSet::new(),
            ledger: Ledger::new(),
            extra,
            started,
        }
    }

    /// Runs playbooks; returns Ansible's exit code.
    pub fn playbooks(mut self, names: &[String], playbooks: &[Playbook]) -> u8 {
        let began = Instant::now();
        self.screen.now(Event::RunStarted {
            playbooks: names.to_vec(),
            check: self.context.options.check,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        });
        let mut error = false;
        'all: for playbook in playbooks {
            for play in &playbook.plays {
                match self.play(play) {
                    Ok(true) => {}
                    Ok(false) => break 'all,
                    // Ctrl-C at a prompt.
                    Err(failure) if failure.message == prompt::INTERRUPTED => {
                        self.interrupts += 1;
                        break 'all;
                    }
                    Err(failure) => {
                        error = true;
                        let text = failure.to_string();
                        self.screen.now(Event::Error { text: text.trim_start_matches("error: ").to_owned() });
                        break 'all;
                    }
                }
            }
            // As Ansible does: a playbook with failures is the last.
            if self.screen.recap.exit() != 0 {
                break;
            }
        }
        if !self.started && !error && self.interrupts == 0 {
            let start = self.context.options.start_at.clone().unwrap_or_default();
            self.screen.now(Event::Error { text: format!("No matching task \"{start}\" found") });
            error = true;
        }
        self.screen.begin(false);
        self.pool.close();
        let order: Vec<String> = self.inventory.hosts.keys().map(ToString::to_string).collect();
        self.screen.recap.order(&order);
        let mut exit = self.screen.recap.exit();
        if error && exit == 0 {
            exit = 1;
        }
        if self.interrupts > 0 {
            exit = INTERRUPTED;
        }
        let recap = self.screen.recap.clone();
        self.screen.now(Event::RunEnded {
            recap,
            exit,
            round_trips: self.pool.round_trips,
            bytes: self.pool.bytes(),
            seconds: began.elapsed().as_secs_f64(),
        });
        exit
    }

    /// Runs a play; says whether the playbook goes on.
    fn play(&mut self, play: &Play) -> Result<bool, Failure> {
        let folders = [play.folder.clone()];
        let mut hosts_vars = Self::play_vars(play);
        let globals = self.globals(play);
        self.context.store.begin_roles(&play.used_roles);
        self.context.store.load_inventory(&self.inventory, &folders, &self.context.loader, globals).map_err(told)?;
        self.context.store.begin_play(hosts_vars.clone(), vec![play.folder.clone()]);
        let vars = self.context.store.host("localhost", 0).ok_or_else(|| Failure::new("no variables"))?;
        let here = |missing: Missing| match missing {
            Missing::Failed(failure) => failure,
            Missing::Wait => Failure::new("a play's keyword cannot wait for a host"),
        };
        let title = match play.name.as_ref().map(|name| self.context.render(name, &vars)).transpose().map_err(here)? {
            Some(Value::String(name)) => name,
            Some(other) => other.to_string(),
            None => pattern(&self.context.render(&play.hosts, &vars).map_err(here)?),
        };
        let pattern = pattern(&self.context.render(&play.hosts, &vars).map_err(here)?);
        let mut all = self.select(&pattern, Some(&play.hosts.span))?;
        let whole = all.clone();
        if let Some(limit) = &self.context.options.limit {
            all =
                self.inventory.limit(&all, limit).map_err(|error| Failure::new(error.diagnostic(None).to_string()))?;
        }
        if all.is_empty() {
            self.screen.now(Event::PlayStarted { play: title, hosts: vec![] });
            return Ok(true);
        }
        let prompted = prompt::ask(&self.context, play, &self.extra, &vars, &mut self.screen)?;
        if !prompted.is_empty() {
            hosts_vars.push((Layer::VarsPrompt, Arc::new(prompted)));
        }
        let order = play.order.as_ref().map(|order| self.context.render(order, &vars)).transpose().map_err(here)?;
        if let (Some(order), Some(node)) = (&order, &play.order) {
            all = serial::arrange(order, &node.span, all, &whole).map_err(|mistake| told(vec![mistake]))?;
        }
        let serial = play.serial.as_ref().map(|serial| self.context.render(serial, &vars)).transpose().map_err(here)?;
        let sizes = match (&serial, &play.serial) {
            (Some(serial), Some(node)) => {
                serial::batches(serial, &node.span, all.len()).map_err(|mistake| told(vec![mistake]))?
            }
            _ => vec![all.len()],
        };
        let mut rest = all.as_slice();
        let batches: Vec<Vec<String>> = sizes
            .into_iter()
            .map(|size| {
                let (batch, others) = rest.split_at(size.min(rest.len()));
                rest = others;
                batch.to_vec()
            })
            .collect();
        let free = match (self.context.text(play.strategy.as_ref(), &vars).map_err(here)?, &play.strategy) {
            (Some(name), Some(node)) => serial::is_free(&name, &node.span).map_err(|mistake| told(vec![mistake]))?,
            _ => false,
        };
        let max_fail = self.context.number(play.max_fail_percentage.as_ref(), &vars).map_err(here)?;
        let fatal = self.context.flag(play.keywords.any_errors_fatal.as_ref(), &vars).map_err(here)?.unwrap_or(false);
        let force = self.context.flag(play.force_handlers.as_ref(), &vars).map_err(here)?.unwrap_or(false);
        let gather = self.context.flag(play.gather_facts.as_ref(), &vars).map_err(here)?.unwrap_or(true);
        let flat = flatten_play(play, gather);
        let mut entries: Vec<Entry> =
            flat.entries.into_iter().filter(|entry| select::tags(&self.context.options, entry)).collect();
        if let (false, Some(start)) = (self.started, &self.context.options.start_at) {
            (entries, self.started) = select::start_at(start, entries);
        }
        let mut refresh = false;
        for batch in batches {
            let batch: Vec<String> = batch.into_iter().filter(|host| !self.lost.contains(host)).collect();
            if batch.is_empty() {
                continue;
            }
            let mut layers = hosts_vars.clone();
            let name = Map::from_iter([("ansible_play_name".to_owned(), title.as_str().into())]);
            layers.push((Layer::Magic, Arc::new(vars::data(&name))));
            self.context.store.begin_play(layers, vec![play.folder.clone()]);
            self.context.store.begin_batch(PlayHosts {
                all: all.clone(),
                batch: batch.clone(),
                gone: self.lost.iter().map(|host| (host.clone(), 0)).collect(),
            });
            self.vars_files(play, &batch)?;
            self.screen.begin(free);
            self.screen.now(Event::PlayStarted { play: title.clone(), hosts: batch.clone() });
            let members = batch.iter().map(|name| Member {
                name: name.clone(),
                cursor: 0,
                guard: Guard::default(),
                notified: BTreeSet::new(),
                active: None,
                gone: false,
                roles: vec![],
            });
            for host in &batch {
                self.context.store.settle(host, 0);
                self.screen.recap.0.entry(host.clone()).or_default();
            }
            let mut run = PlayRun {
                context: &self.context,
                play,
                members: members.collect(),
                entries: entries.iter().cloned().map(Arc::new).collect(),
                handlers: flat.handlers.clone(),
                expanded: HashSet::new(),
                free,
                strict: fatal || max_fail.is_some(),
                force_handlers: force || self.context.options.force_handlers,
                max_fail,
                fatal: None,
                abort: false,
                ended: false,
                refresh: false,
                interrupts: self.interrupts,
                next_batch: &mut self.next_batch,
                pool: &mut self.pool,
                screen: &mut self.screen,
                ledger: &mut self.ledger,
                inventory: &mut self.inventory,
            };
            run.take_up();
            dispatch::dispatch(&mut run, &self.inbox);
            run.close_ledger();
            let failed: Vec<String> = run
                .members
                .iter()
                .filter(|member| member.guard.failed() || member.gone)
                .map(|member| member.name.clone())
                .collect();
            let (abort, ended) = (run.abort, run.ended);
            refresh |= run.refresh;
            self.interrupts = run.interrupts;
            let whole = failed.len() == batch.len();
            self.lost.extend(failed);
            if self.interrupts > 0 {
                return Ok(false);
            }
            if whole || abort {
                self.screen.begin(free);
                self.screen.now(Event::NoMoreHosts);
                return Ok(false);
            }
            if ended {
                break;
            }
        }
        if refresh {
            self.inventory = (self.reread)()?;
        }
        Ok(true)
    }

    fn select(&mut self, pattern: &str, span: Option<&crate::base::Span>) -> Result<Vec<String>, Failure> {
        let mut problems = vec![];
        let hosts = self.inventory.select_with(pattern, &mut problems);
        for problem in problems {
            let diagnostic = problem.diagnostic(span);
            if problem.malformed {
                return Err(Failure::new(diagnostic.to_string()));
            }
            let text = diagnostic.warning().to_string();
            self.screen.now(Event::Warning { text: text.trim_start_matches("warning: ").to_owned() });
        }
        Ok(hosts)
    }
}

fn pattern(value: &Value) -> String {
    match value {
        Value::Array(items) => items.iter().map(pattern).collect::<Vec<_>>().join(","),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn told(diagnostics: Vec<Diagnostic>) -> Failure {
    Failure::new(diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}
