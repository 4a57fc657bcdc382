//! From an account, a file or a lock's hash to a cluster that is ours: polling, agreeing, trying again.

use super::CharonDkg;
use super::ceremony;
use super::folder::Folder;
use super::made::{Deposits, Made, Ours, verify};
use crate::base::failure::Result;
use crate::base::{Failure, Value};
use crate::chain::backoff::{Backoff, chance};
use crate::chain::charon::api::{Api, Trouble};
use crate::chain::charon::choose::{Candidate, Pick, State, candidates, pick};
use crate::chain::charon::{Definition, Rules, Standing};
use crate::chain::keystore;
use crate::chain::{AccountKey, Address, B256};
use crate::system::{System, Writer};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// What is known before the first step.
pub struct Hunt<'a> {
    pub module: &'a CharonDkg,
    pub folder: &'a Folder,
    pub ours: &'a Ours<'a>,
    pub operator: Option<Address>,
    /// `None`: for ever.
    pub until: Option<Instant>,
    pub line: &'a dyn Fn(&str),
    /// The cluster whose ceremony has failed last.
    pub failed: Cell<Option<B256>>,
    /// What was told already.
    pub told: RefCell<BTreeSet<String>>,
}

/// A definition that is true, and its text for charon.
#[derive(Clone)]
pub struct Found {
    pub config_hash: B256,
    pub text: String,
    standing: Standing,
}

/// What one look at the API says.
enum Look {
    Found(Box<Found>),
    /// The others have made it with us.
    Made(Box<Made>),
    /// Nothing yet; the text says why, and changes whenever there is progress.
    NotYet(String),
}

impl fmt::Display for Look {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Found(found) => write!(f, "the cluster {} is ready", found.config_hash),
            Self::Made(made) => write!(f, "the cluster {} is made", made.lock.definition.config_hash),
            Self::NotYet(why) => f.write_str(why),
        }
    }
}

impl Hunt<'_> {
    /// The definition of the file that was given, true in every point.
    pub fn definition_file(&self, system: &System) -> Result<Option<Found>> {
        let Some(file) = &self.module.definition_file else { return Ok(None) };
        let text = system.read_text(Path::new(file))?;
        self.found(text).map(Some).map_err(|failure| failure.context(file))
    }

    /// The definition that an earlier run kept or that somebody laid there, true in every point. None if it is another's than
    /// the cluster that is wanted, and the API can be asked for that one.
    pub fn kept(&self, system: &System) -> Result<Option<Found>> {
        let file = &self.folder.definition;
        if self.module.definition_file.is_some() {
            return Ok(None);
        }
        let Some(text) = system.read_text_if_there(file)? else { return Ok(None) };
        let wrong = |failure: Failure| {
            let failure = failure.context(file.display());
            if failure.help.is_none() { failure.help("move the file away, and the API is asked") } else { failure }
        };
        let definition = Definition::parse(&text).map_err(wrong)?;
        if let (Some(wanted), Some(_)) = (self.ours.rules.config_hash, self.operator)
            && definition.config_hash.0 != wanted.as_slice()
        {
            self.tell(&format!("{} is of another cluster than {wanted}: the API is asked", file.display()));
            return Ok(None);
        }
        self.found(text).map(Some).map_err(wrong)
    }

    /// Waits until the cluster is ready, makes it, and tries again if that fails.
    pub fn ceremony(&self, writer: &Writer, file: Option<&Found>) -> Result<Made> {
        let version = ceremony::program(writer.system(), &self.module.charon)?;
        (self.line)(&format!("charon is {version}"));
        self.persist(writer.system(), "no cluster was made", |backoff| {
            let seen = match file {
                Some(found) => Look::Found(Box::new(found.clone())),
                None => self.look(writer)?,
            };
            backoff.saw(&seen.to_string());
            match seen {
                Look::NotYet(why) => Err(Trouble::passing(why)),
                Look::Made(made) => Ok(*made),
                Look::Found(found) => {
                    // What lies in a file is asked for only where it may bring shares back that are here.
                    if file.is_some()
                        && self.folder.keeps_shares(writer.system())?
                        && let Some(made) = self.made_already(writer, &found)?
                    {
                        return Ok(made);
                    }
                    ceremony::run(self, writer, &found).map_err(|failure| {
                        self.failed.set(Some(found.config_hash));
                        Trouble { passing: true, ..Trouble::lasting(failure) }
                    })
                }
            }
        })
    }

    /// Takes the lock with this hash from the API, once everything in it and beside it is true.
    pub fn fetch(&self, writer: &Writer, lock_hash: B256) -> Result<Made> {
        let system = writer.system();
        let api = Api::new(system, &self.module.api);
        self.persist(system, "no lock was found", |_| {
            let json = api.lock(lock_hash)?;
            let json = json.ok_or_else(|| Trouble::passing(format!("the API does not know the lock {lock_hash}")))?;
            let text = serde_json::to_string_pretty(&json).unwrap_or_default() + "\n";
            let made = verify(system, self.folder.path(), &text, self.ours, Deposits::AllOrNone)
                .and_then(|made| self.folder.adopt(writer, &text).map(|()| made));
            made.map_err(|failure| Trouble::lasting(failure.context(format!("the lock {lock_hash} of the API"))))
        })
    }

    /// Tries until it is done, until trying does not help, or until it is too late.
    fn persist<T>(
        &self,
        system: &System,
        otherwise: &str,
        mut attempt: impl FnMut(&mut Backoff) -> Result<T, Trouble>,
    ) -> Result<T> {
        let seconds = |number: i64| Duration::from_secs(u64::try_from(number).unwrap_or(1));
        let (first, most) = (seconds(self.module.first_wait.0), seconds(self.module.longest_wait.0));
        let mut backoff = Backoff::new(first, most, self.module.factor);
        let mut said = String::new();
        loop {
            let Trouble { failure, passing, after } = match attempt(&mut backoff) {
                Ok(done) => return Ok(done),
                Err(trouble) => trouble,
            };
            if !passing || system.cancelled.load(Ordering::Relaxed) {
                return Err(failure);
            }
            if failure.message != said {
                (self.line)(&failure.to_string());
                said.clone_from(&failure.message);
            }
            let wait = backoff.wait(chance(), after);
            if self.until.is_some_and(|until| Instant::now() + wait >= until) {
                return Err(failure.context(format!("{otherwise} in {} s; last", self.module.patience.0)));
            }
            (self.line)(&format!("next try in {:.0} s", wait.as_secs_f64()));
            system.rest(wait)?;
        }
    }

    /// Looks once: at the definition that is kept, and at what the API has.
    fn look(&self, writer: &Writer) -> Result<Look, Trouble> {
        let system = writer.system();
        let mut api = Api::new(system, &self.module.api);
        api.limit = u64::try_from(self.module.page_limit.0).unwrap_or(100);
        api.until = self.until;
        let begun = self.begun(writer, &api)?;
        let Some(operator) = self.operator else {
            return begun.ok_or_else(|| Trouble::lasting(Failure::new("no operator")));
        };
        match begun {
            // What was begun is ended first. Only if that fails, something newer may be meant.
            Some(Look::Found(found)) if self.failed.get() == Some(found.config_hash) => {
                match self.newest(system, &api, operator) {
                    Ok(Look::NotYet(_)) => Ok(Look::Found(found)),
                    Err(trouble) if trouble.passing => {
                        self.tell(&trouble.failure.message);
                        Ok(Look::Found(found))
                    }
                    newest => newest,
                }
            }
            Some(begun) => Ok(begun),
            None => self.newest(system, &api, operator),
        }
    }

    /// What the definition that is kept has come to. None: there is none, or its ceremony is over and others may be looked for.
    fn begun(&self, writer: &Writer, api: &Api) -> Result<Option<Look>, Trouble> {
        let Some(kept) = self.kept(writer.system()).map_err(Trouble::lasting)? else { return Ok(None) };
        let Some(lock) = self.lock_of(api, &kept) else { return Ok(Some(Look::Found(Box::new(kept)))) };
        if let Some(made) = self.recover(writer, &kept, &lock).map_err(Trouble::lasting)? {
            return Ok(Some(Look::Made(Box::new(made))));
        }
        let over = self.over(kept.config_hash);
        if self.operator.is_none() || self.ours.rules.config_hash.is_some() {
            return Err(Trouble::lasting(over));
        }
        self.tell(&over.to_string());
        Ok(None)
    }

    /// The newest cluster of the API that is ready and not over; an invitation is agreed to if that is wanted.
    fn newest(&self, system: &System, api: &Api, operator: Address) -> Result<Look, Trouble> {
        let (pick, notes) = self.clusters(api, operator)?;
        for hash in &pick.over {
            let over = self.over(*hash);
            if self.ours.rules.config_hash == Some(*hash) {
                return Err(Trouble::lasting(over));
            }
            self.tell(&over.message);
        }
        if let Some(reason) = pick.reason() {
            self.tell(&reason);
        }
        if let Some(candidate) = pick.ready {
            return Ok(Look::Found(Box::new(found_of(candidate))));
        }
        if let Some(invited) = pick.rest.iter().find(|it| it.state == State::Invited)
            && let Some(file) = &self.module.accept_with
        {
            self.agree(system, api, invited, file)?;
            return Ok(Look::NotYet(format!("the cluster {} is agreed to", invited.config_hash)));
        }
        Ok(Look::NotYet(match pick.rest.as_slice() {
            [] if notes.is_empty() => format!("the API knows no cluster of {operator} that is still to be made"),
            [] => notes.join("; "),
            open => open.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
        }))
    }

    /// The clusters that the API has for us, and why others are not ours.
    fn clusters(&self, api: &Api, operator: Address) -> Result<(Pick, Vec<String>), Trouble> {
        // The one that is wanted is asked for by its name: no invitation of a stranger is in the way.
        let wanted = self.ours.rules.config_hash.map(|hash| api.definition(hash)).transpose()?.flatten();
        let list = wanted.map_or_else(|| api.definitions(operator), |it| Ok(vec![it]))?;
        // Leave to take an unsigned definition is for files: somebody brought those.
        let rules = Rules { unsigned: false, ..self.ours.rules.clone() };
        let (found, notes) = candidates(&list, operator, self.ours.key, &rules);
        Ok((pick(found, |hash| api.lock_of(hash).map(|lock| lock.is_some()))?, notes))
    }

    /// The lock of the definition that is kept, if its ceremony is over and the API can be asked.
    fn lock_of(&self, api: &Api, kept: &Found) -> Option<Value> {
        // The API knows none that is not signed.
        if kept.standing == Standing::Unsigned {
            return None;
        }
        api.lock_of(kept.config_hash).unwrap_or_else(|trouble| {
            let (hash, why) = (kept.config_hash, trouble.failure.message);
            self.tell(&format!("whether the ceremony of the cluster {hash} is over is not known, it goes on: {why}"));
            None
        })
    }

    /// What the others made with us, while a run of ours failed: if the API can be asked, and soon.
    fn made_already(&self, writer: &Writer, found: &Found) -> Result<Option<Made>> {
        let mut api = Api::new(writer.system(), &self.module.api);
        api.patience = Duration::from_secs(10);
        match self.lock_of(&api, found) {
            Some(lock) => self.recover(writer, found, &lock),
            None => Ok(None),
        }
    }

    /// A lock that the others have, and the shares to it that a run of ours left.
    fn recover(&self, writer: &Writer, kept: &Found, lock: &Value) -> Result<Option<Made>> {
        let rules = Rules { config_hash: Some(kept.config_hash), ..self.ours.rules.clone() };
        let ours = Ours { key: self.ours.key, rules: &rules, lock_hash: None, keys_elsewhere: false };
        let text = serde_json::to_string_pretty(lock).unwrap_or_default() + "\n";
        let Some((place, made)) = self.folder.shares_to(writer.system(), &text, &ours)? else { return Ok(None) };
        self.folder.join(writer, &place, &text, &made)?;
        let hash = kept.config_hash;
        (self.line)(&format!(
            "the others have made the cluster {hash} with us: our shares are here, its lock comes from the API"
        ));
        Ok(Some(made))
    }

    fn over(&self, config_hash: B256) -> Failure {
        let (data, file) = (self.folder.path().display(), self.folder.definition.display());
        Failure::new(format!("not the cluster {config_hash}: its ceremony is over, and {data} has nothing of it")).help(
            format!(
                "take this node's files from its backup; or, if its shares are in another place, the lock by its hash (`lock_hash`). \
                 Shares that are lost cannot be made again: all operators make a new cluster. For another cluster move {file} away"
            ),
        )
    }

    fn agree(&self, system: &System, api: &Api, invited: &Candidate, file: &str) -> Result<(), Trouble> {
        let lasting = Trouble::lasting;
        let account = self.account(system, file).map_err(lasting)?;
        if Some(account.address()) != self.operator {
            let why = format!("{file} holds the key of {}, which is not the operator", account.address());
            return Err(lasting(Failure::new(why)));
        }
        let mut definition = invited.definition.clone();
        definition.accept(&account, self.ours.key, self.ours.rules).map_err(lasting)?;
        let chain = definition.chain_id().map_err(lasting)?;
        (self.line)(&format!("agreeing to the cluster {} and to Obol's terms", invited.config_hash));
        api.accept_terms(&account, chain)?;
        api.accept(&definition, &account)
    }

    fn account(&self, system: &System, file: &str) -> Result<AccountKey> {
        let text = Zeroizing::new(system.read_text(Path::new(file))?);
        if !text.trim_start().starts_with('{') {
            return AccountKey::from_hex(&text).map_err(|failure| failure.context(file));
        }
        let Some(password) = &self.module.accept_password_file else {
            return Err(Failure::new(format!("{file} is a keystore, and `accept_password_file` is missing")));
        };
        let password = keystore::password::first_line(&Zeroizing::new(system.read_text(Path::new(password))?));
        keystore::decrypt(&text, &password).map_err(|failure| failure.context(file))
    }
    fn found(&self, text: String) -> Result<Found> {
        let definition = Definition::parse(&text)?;
        let standing = definition.verify(self.ours.rules)?;
        definition.position_of_node(self.ours.key)?;
        Ok(Found { config_hash: definition.compute_config_hash()?, text, standing })
    }

    /// Says it, once.
    fn tell(&self, text: &str) {
        if self.told.borrow_mut().insert(text.to_owned()) {
            (self.line)(text);
        }
    }
}

fn found_of(candidate: Candidate) -> Found {
    let Candidate { config_hash, json, .. } = candidate;
    let text = serde_json::to_string_pretty::<Value>(&json).unwrap_or_default() + "\n";
    Found { config_hash, text, standing: Standing::Signed }
}
