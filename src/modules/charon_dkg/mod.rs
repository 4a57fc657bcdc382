//! `charon_dkg`: a share of a distributed validator's key, made together with strangers.

mod ceremony;
mod cut_off;
mod folder;
mod made;
mod publish;
mod wait;

use super::loose::{Flag, Number, Text, Words};
use super::{Cx, Module, Result};
use crate::base::event::Proof;
use crate::base::{Diff, Failure};
use crate::chain::charon::api::ENDPOINT;
use crate::chain::charon::{Lock, Rules, record_of};
use crate::chain::{Address, B256, parse_address};
use crate::system::{Hold, Writer};
use alloy_primitives::hex;
use folder::Folder;
use made::{Made, Ours};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Takes part in a key ceremony of Charon (DKG): makes the node's key if there is none, finds the cluster's definition, checks
/// every hash and signature in it, runs `charon dkg`, and checks everything that comes out of it.
///
/// The definition is a file, or the one that the Obol API has for the operator's account once all operators have agreed. A
/// definition that is not signed, or wrongly, is refused with the operator's name before charon is started. After a failure
/// what charon left is moved into `failed-dkg`, and the ceremony is tried again: all operators must be there at once. An attempt
/// counts when it is known that all operators have what it made: whoever is cut off in the moment before finds the lock at the
/// API (`publish`), or is given that of another operator (`lock_file`); else all of them make another. A definition that an earlier run kept is gone on with, unless the API says that its ceremony is over. A ceremony that is over
/// here changes nothing; its files are checked again. Keys are never overwritten or removed.
///
/// Run it as the user that runs charon.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct CharonDkg {
    /// Charon's data folder (made with mode 0700 if it is missing): `charon-enr-private-key`, and in the end `cluster-lock.json`,
    /// `validator_keys` and `deposit-data*.json`.
    pub data_dir: String,
    /// The program.
    #[serde(default = "charon")]
    pub charon: String,
    /// Only make the node's key, if there is none, and return its record: it is what the creator of a cluster, or the
    /// Launchpad, wants to know first.
    #[serde(default)]
    pub only_key: Flag,
    /// Take the definition from this file of the host instead of the API.
    #[serde(default)]
    pub definition_file: Option<String>,
    /// The operator's account; without `definition_file` it says whose clusters the API is asked for.
    #[serde(default)]
    pub operator: Option<Text>,
    /// The Obol API.
    #[serde(default = "api")]
    pub api: String,
    /// Take part in the cluster with this config hash and no other. Without it: in the newest that is ready.
    #[serde(default)]
    pub config_hash: Option<Text>,
    /// Take part only in a cluster on the chain with this id.
    #[serde(default)]
    pub chain_id: Option<Number>,
    /// Take a definition that no operator signed, as `charon create dkg` makes it. Only from a file.
    #[serde(default)]
    pub allow_unsigned: Flag,
    /// Make no cluster: take the lock with this hash from the API. The cluster was made in another place with the key in
    /// `data_dir` (or `key_file`); shares that are here are compared with it.
    #[serde(default)]
    pub lock_hash: Option<Text>,
    /// Make no cluster: take the lock in this file of the host, from an operator with whom it is over. For one that was cut off when
    /// its shares were made: they are in `data_dir` or in `failed-dkg`, and are held against it.
    #[serde(default)]
    pub lock_file: Option<String>,
    /// Tell the API the lock once all operators have theirs; operators that were cut off find it there. Default: where the
    /// definition comes from the API.
    #[serde(default)]
    pub publish: Option<Flag>,
    /// A lock that is here may be without shares: they are in another place. Those of a ceremony that was run here must be here.
    #[serde(default)]
    pub keys_elsewhere: Flag,
    /// Agree to invitations, and to Obol's terms, with the operator's account: the file of its private key (hexadecimal, or a
    /// keystore of geth's). Needs `config_hash`: nothing else is agreed to.
    #[serde(default)]
    pub accept_with: Option<String>,
    /// The file of that keystore's password.
    #[serde(default)]
    pub accept_password_file: Option<String>,
    /// A file that holds our node record; it must be of the key in `data_dir`, which is then not made.
    #[serde(default)]
    pub enr_file: Option<String>,
    /// Use the key in this file of the host instead of making one; it is copied into `data_dir`.
    #[serde(default)]
    pub key_file: Option<String>,
    /// Relays over which the nodes meet, instead of charon's own.
    #[serde(default)]
    pub relays: Words,
    /// More options of `charon dkg`; not those that say where its files are, that take shares elsewhere (`--zipped`, `--keymanager-..`),
    /// that check nothing (`--no-verify`), or that tell the lock too early (`--publish`).
    #[serde(default)]
    pub options: Words,
    /// How long one ceremony may take, waiting for the others included, in seconds; the same for all operators, since it says at
    /// which moments all of them begin anew.
    #[serde(default = "deadline")]
    pub deadline: Number,
    /// How long to wait and try in all, in seconds; 0 is for ever.
    #[serde(default = "patience")]
    pub patience: Number,
    /// The first wait between two tries, in seconds.
    #[serde(default = "first_wait")]
    pub first_wait: Number,
    /// The longest wait between two tries, in seconds.
    #[serde(default = "longest_wait")]
    pub longest_wait: Number,
    /// How many times longer each wait is than the one before.
    #[serde(default = "factor")]
    pub factor: f64,
    /// How many clusters the API is to tell at once.
    #[serde(default = "page_limit")]
    pub page_limit: Number,
    /// Where the definition is kept that charon is given. Default: `cluster-definition.json` in `data_dir`.
    #[serde(default)]
    pub output_definition: Option<String>,
    /// Copy everything into a folder below this one, and prove the copy.
    #[serde(default)]
    pub backup: Option<String>,
}

/// Options of charon that would hide what is made or leave it unchecked, and what to do instead.
const NOT_FOR_USERS: [(&str, &str); 6] = [
    ("--zipped", "the shares stay in `validator_keys`; `backup` makes a copy"),
    ("--keymanager", "charon would leave no share here; give the shares to a key manager when they are checked"),
    ("--data-dir", "give `data_dir`"),
    ("--definition-file", "give `definition_file`"),
    ("--publish", "give `publish`, and `api` if need be: the lock is told when all operators have theirs"),
    ("--no-verify", "leave it out: everything is checked; `allow_unsigned` takes a definition that nobody has signed"),
];

fn charon() -> String {
    "charon".into()
}
fn api() -> String {
    ENDPOINT.into()
}
fn deadline() -> Number {
    Number(600)
}
fn patience() -> Number {
    Number(3600)
}
fn first_wait() -> Number {
    Number(10)
}
fn longest_wait() -> Number {
    Number(300)
}
fn factor() -> f64 {
    2.0
}
fn page_limit() -> Number {
    Number(100)
}

/// What `charon_dkg` returns; in check mode what is not known yet is null.
#[derive(Debug, Default, Serialize)]
pub struct Output {
    /// Our node's record: what the creator of a cluster wants to know.
    enr: Option<String>,
    /// The cluster's config hash.
    config_hash: Option<String>,
    /// The lock's hash: what all operators can compare.
    lock_hash: Option<String>,
    /// Public keys of the validators.
    validators: Vec<String>,
    /// Which operator we are, from 1 on.
    operator: Option<usize>,
    /// Whether there was no cluster before.
    created: bool,
    /// How many shares were checked: one for each validator, or none if they are in another place.
    shares: usize,
    /// The folder of the backup.
    backup: Option<String>,
    /// Evidence.
    proofs: Vec<Proof>,
}

impl Module for CharonDkg {
    const NAME: &'static str = "charon_dkg";
    const EXAMPLE: &'static str = "\
- charon_dkg:
    data_dir: /var/lib/charon
    operator: '0x008AeEda4D805471dF9b2A5B0f38A0C3bCBA786b'
    config_hash: '0xb809c66e3de95e9c4bfa3fa9c3af75ed15e0037bc7607cdf3fbba797d99634ec'
    backup: /var/backups/charon
  become: true
  become_user: charon
  register: cluster";
    type Output = Output;

    fn run(&self, cx: &mut Cx) -> Result<Output> {
        let rules = self.rules()?;
        let operator = self.operator.as_ref().map(|text| parse_address(&text.0)).transpose()?;
        let lock_hash = self.lock_hash.as_ref().map(|text| hash(&text.0, "lock hash")).transpose()?;
        let folder = Folder::new(PathBuf::from(&self.data_dir), self.output_definition.as_deref())?;
        let mut given = self.definition_file.is_some() || self.lock_file.is_some();
        for path in [&folder.definition, &folder.inside(made::LOCK)] {
            given = given || cx.system.exists(path)?;
        }
        self.check_arguments(operator, given)?;
        let had = cx.system.exists(&folder.inside(folder::KEY))?;
        let key = folder.key(cx, self.enr_file.as_deref(), self.key_file.as_deref())?;
        let Some(key) = key else {
            if self.only_key.0 {
                return Ok(Output::default());
            }
            cx.change(Diff::action(format!("take part in a key ceremony in {}", self.data_dir)), |_| Ok(()))?;
            return Ok(Output::default());
        };
        let enr = record_of(&key)?.to_string();
        if self.only_key.0 {
            return Ok(Output { enr: Some(enr), ..Output::default() });
        }
        if !had {
            cx.line(&format!("this node's key is new here; its record is {enr}"));
        }
        if !cx.check
            && let Hold::By(who) = cx.system.hold(&folder.inside(".chainwright-dkg"), "chainwright\n")?
        {
            return Err(Failure::new(format!(
                "another chainwright works in {} already: {}",
                self.data_dir,
                who.trim()
            )));
        }
        let keys_elsewhere = self.keys_elsewhere.0 || lock_hash.is_some();
        let ours = Ours { key: &key, rules: &rules, lock_hash, keys_elsewhere };
        let result = self.over_or_made(cx, &folder, &ours, operator);
        cx.system.release(&folder.inside(".chainwright-dkg"));
        Ok(Output { enr: Some(enr), ..result? })
    }
}

impl CharonDkg {
    fn over_or_made(&self, cx: &mut Cx, folder: &Folder, ours: &Ours, operator: Option<Address>) -> Result<Output> {
        let over = folder.finished(cx.system, ours)?;
        let created = over.is_none();
        let made = match over {
            Some(made) => Some(made),
            None => self.make(cx, folder, ours, operator)?,
        };
        let Some(made) = made else { return Ok(Output::default()) };
        let lock = &made.lock;
        let (nodes, mut proofs) = (lock.definition.operators.len(), Vec::new());
        proofs.push(Proof::new(
            "lock true",
            format!("hash {}, {nodes} node signatures, signature of all shares, deposits", lock.lock_hash),
        ));
        self.lock_is_the_same(cx, lock)?;
        let (mut backup, mut shares) = (None, 0);
        if made.shares {
            // Of a ceremony that is made now this is part of it; of an old one it is repaired, and told.
            let changed = folder.settled(cx.system)?;
            if !changed.is_empty() && !created {
                cx.change(Diff::action(format!("protect {}", changed.join(", "))), |writer| {
                    folder.settle(writer, lock)
                })?;
            } else if created {
                folder.settle(&cx.system.writer(), lock)?;
            }
            folder.check_manifest(cx.system)?;
            backup = self.backup(cx, folder, ours, &made, created)?;
            self.publish(cx, folder, lock, created)?;
            shares = lock.validators.len();
            let which = made.operator + 1;
            proofs.push(Proof::new(
                "shares ours",
                format!("{shares} keystores open, each with the share of operator {which}"),
            ));
        } else {
            cx.line(&format!("no shares are in {}: they must be in another place, and are not checked", self.data_dir));
        }
        Ok(Output {
            enr: None,
            config_hash: Some(lock.definition.config_hash.to_string()),
            lock_hash: Some(lock.lock_hash.to_string()),
            validators: lock.validators.iter().map(|it| it.distributed_public_key.to_string()).collect(),
            operator: Some(made.operator + 1),
            created,
            shares,
            backup,
            proofs,
        })
    }

    /// Makes the cluster, or takes the lock of one that was made in another place.
    fn make(&self, cx: &mut Cx, folder: &Folder, ours: &Ours, operator: Option<Address>) -> Result<Option<Made>> {
        let hunt = wait::Hunt {
            module: self,
            folder,
            ours,
            operator,
            until: self.until(),
            line: cx.lines(),
            failed: Cell::default(),
            told: RefCell::default(),
        };
        if let Some(file) = &self.lock_file {
            return self.join_given(cx, &hunt, file);
        }
        if let Some(hash) = ours.lock_hash {
            let what = format!("take the lock {hash} from {}", self.api);
            return cx.change(Diff::action(what), |writer| hunt.fetch(writer, hash));
        }
        // What a file says is told before anything is done, in check mode, too.
        let file = hunt.definition_file(cx.system)?;
        hunt.kept(cx.system)?;
        let what = format!("take part in a key ceremony in {}", self.data_dir);
        cx.change(Diff::action(what), |writer| hunt.ceremony(writer, file.as_ref()))
    }

    /// Joins the lock of another operator with the shares that an attempt of ours left.
    fn join_given(&self, cx: &mut Cx, hunt: &wait::Hunt, file: &str) -> Result<Option<Made>> {
        let text = cx.system.read_text(Path::new(file))?;
        let defined = hunt.definition_file(cx.system)?.map(|it| it.config_hash);
        let rules = Rules { config_hash: defined.or(hunt.ours.rules.config_hash), ..hunt.ours.rules.clone() };
        let ours = Ours { rules: &rules, keys_elsewhere: false, ..*hunt.ours };
        let (lock, _) = made::verify_lock(&text, &ours).map_err(|failure| failure.context(file))?;
        let Some((place, made)) = hunt.folder.shares_to(cx.system, &text, &ours)? else {
            return Err(Failure::new(format!("no shares to the lock {} of {file} are in {}", lock.lock_hash, self.data_dir))
                .help("take this node's files from its backup. Shares that are lost cannot be made again: all operators make a new cluster"));
        };
        let what = format!("take the lock {} from {file}, to the shares in {}", lock.lock_hash, place.display());
        cx.change(Diff::action(what), |writer| hunt.folder.join(writer, &place, &text, &made).map(|()| made))
    }

    fn backup(&self, cx: &mut Cx, folder: &Folder, ours: &Ours, made: &Made, created: bool) -> Result<Option<String>> {
        let Some(root) = &self.backup else { return Ok(None) };
        let name = format!("{}-{}", hex::encode(&made.lock.lock_hash.0[..8]), &ours.key.public_key()[..8]);
        let target = PathBuf::from(root).join(name);
        let shown = target.display().to_string();
        let wrong = |failure: Failure| failure.context(format!("the backup {shown} is not what it should be"));
        let copy = |writer: &Writer| {
            folder.back_up(writer, &target)?;
            folder.restore_and_compare(writer, &target).map_err(wrong)
        };
        if cx.system.exists(&target)? {
            folder.compare(cx.system, &target).map_err(wrong)?;
        } else if created {
            copy(&cx.system.writer())?;
        } else {
            cx.change(Diff::action(format!("back up {} to {shown}", self.data_dir)), copy)?;
        }
        Ok(Some(shown))
    }

    /// What is over here must be what another operator has, if we were given that.
    fn lock_is_the_same(&self, cx: &Cx, ours: &Lock) -> Result<()> {
        let Some(file) = &self.lock_file else { return Ok(()) };
        let theirs = Lock::parse(&cx.system.read_text(Path::new(file))?).map_err(|failure| failure.context(file))?;
        if theirs.lock_hash == ours.lock_hash {
            return Ok(());
        }
        let (data, hash) = (&self.data_dir, &ours.lock_hash);
        Err(Failure::new(format!(
            "a ceremony is over in {data} with the lock {hash}, and {file} is {}",
            theirs.lock_hash
        ))
        .help("ask all operators for their lock hash: it is the same for all of one cluster"))
    }

    fn rules(&self) -> Result<Rules> {
        let config_hash = self.config_hash.as_ref().filter(|text| !text.0.is_empty());
        let config_hash = config_hash.map(|text| hash(&text.0, "config hash"));
        let chain_id = self.chain_id.map(|id| {
            u64::try_from(id.0).map_err(|_| Failure::new(format!("`chain_id` is {}, which no chain has", id.0)))
        });
        Ok(Rules {
            unsigned: self.allow_unsigned.0,
            chain_id: chain_id.transpose()?,
            config_hash: config_hash.transpose()?,
        })
    }

    /// `given`: there is a definition already, or a lock.
    fn check_arguments(&self, operator: Option<Address>, given: bool) -> Result<()> {
        if !given && operator.is_none() && self.lock_hash.is_none() && !self.only_key.0 {
            return Err(Failure::new("nothing says which cluster it is")
                .help("give `definition_file`; or `operator`, the account whose clusters the API is asked for"));
        }
        if !given && self.lock_hash.is_none() && self.allow_unsigned.0 {
            return Err(Failure::new("`allow_unsigned` is for a `definition_file`: what the API says must be signed"));
        }
        if self.lock_hash.is_some() && self.lock_file.is_some() {
            return Err(Failure::new("`lock_hash` takes a lock from the API, `lock_file` from a file: which is it?"));
        }
        if self.lock_hash.is_some() && self.definition_file.is_some() {
            return Err(Failure::new(
                "`lock_hash` takes a cluster that was made, `definition_file` makes one: which is it?",
            ));
        }
        if self.accept_with.is_some() && (self.config_hash.as_ref().is_none_or(|text| text.0.is_empty())) {
            return Err(Failure::new("`accept_with` needs `config_hash`: which cluster is agreed to?")
                .help("the creator of the cluster tells its config hash; compare it with the other operators"));
        }
        for option in &self.options.0 {
            if let Some((_, instead)) = NOT_FOR_USERS.iter().find(|(name, _)| option.trim().starts_with(name)) {
                return Err(
                    Failure::new(format!("`options` has `{option}`, which this ceremony cannot have")).help(*instead)
                );
            }
        }
        for (name, number) in [
            ("deadline", self.deadline),
            ("first_wait", self.first_wait),
            ("longest_wait", self.longest_wait),
            ("page_limit", self.page_limit),
        ] {
            if number.0 < 1 {
                return Err(Failure::new(format!("`{name}` is {}, and must be at least 1", number.0)));
            }
        }
        Ok(())
    }

    fn until(&self) -> Option<Instant> {
        let seconds = u64::try_from(self.patience.0).ok().filter(|seconds| *seconds > 0)?;
        Instant::now().checked_add(Duration::from_secs(seconds))
    }
}

fn hash(text: &str, what: &str) -> Result<B256> {
    text.parse().map_err(|_| Failure::new(format!("`{text}` is no {what}")).help("it is 0x and 64 hexadecimal digits"))
}

#[cfg(test)]
mod tests;
