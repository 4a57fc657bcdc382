//! `eth_account`: an account's key and its password, made on the host.

use super::loose::Flag;
use super::{BlobRef, Controller, Cx, Module, Reach, Result, eth};
use crate::base::{Diff, Failure, Secret};
use crate::chain::keystore::{self, Kdf, folder::Entry, password};
use crate::chain::{AccountKey, Address, parse_address};
use crate::system::Traits;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Makes an account in a keystore folder on the host itself if it has none, or installs a given one: a version 3 keystore file as
/// geth writes it (standard scrypt cost), and a file with the random password that opens it, both mode 0400 in
/// folders of mode 0700. Neither leaves the host; the address comes back. An account that exists is never made again.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct EthAccount {
    /// The keystore folder, geth's `--keystore`.
    pub keystore: String,
    /// The file that holds the password, geth's `--password`. Made with a random password if there is no account yet.
    pub password_file: String,
    /// Who owns the files: the user that runs the node.
    #[serde(default)]
    pub owner: Option<String>,
    /// The files' group.
    #[serde(default)]
    pub group: Option<String>,
    /// The address that is expected. Needed where the folder holds several accounts.
    #[serde(default)]
    pub address: Option<String>,
    /// Install this keystore file of the controller instead of making an account; needs a password file, too.
    #[serde(default)]
    pub src: Option<String>,
    /// Install this keystore file of the host instead of making an account; needs a password file, too.
    #[serde(default)]
    pub import_from: Option<String>,
    /// Install this password file of the controller with the account.
    #[serde(default)]
    pub password_src: Option<String>,
    /// Prove on every run that the password opens the account (about a second and 256 MB of memory on the host).
    #[serde(default)]
    pub verify: Flag,
    #[serde(default)]
    #[schemars(skip)]
    src_blob: Option<BlobRef>,
    #[serde(default)]
    #[schemars(skip)]
    password_blob: Option<BlobRef>,
}

/// What `eth_account` returns. In check mode the address of an account that is yet to be made is null.
#[derive(Debug, Serialize)]
pub struct Output {
    /// With checksum (EIP-55).
    address: Option<String>,
    /// The keystore file.
    path: Option<String>,
    /// Whether there was no account before.
    created: bool,
}

impl Module for EthAccount {
    const NAME: &'static str = "eth_account";
    const EXAMPLE: &'static str = "\
- eth_account:
    keystore: /var/lib/geth/keystore
    password_file: /var/lib/geth/password
    owner: geth
    group: geth
  register: account";
    const REACH: Reach = Reach::Host;
    type Output = Output;

    fn prepare(mut self, controller: &dyn Controller) -> Result<Self> {
        if let Some(src) = &self.src {
            self.src_blob = Some(controller.blob_file(&controller.find("files", src)?)?);
        }
        if let Some(src) = &self.password_src {
            self.password_blob = Some(controller.blob_file(&controller.find("files", src)?)?);
        }
        Ok(self)
    }

    fn run(&self, cx: &mut Cx) -> Result<Output> {
        let wanted = eth::traits_or_later(cx, self.owner.as_deref(), self.group.as_deref(), 0o400)?;
        let expected = self.address.as_deref().map(parse_address).transpose()?;
        let given = self.given(cx)?;
        let accounts = self.accounts(cx)?;
        match self.choose(&accounts, expected, given.as_ref().map(|(_, address)| *address))? {
            Some((path, address)) => {
                self.keep_existing(cx, &path, wanted)?;
                Ok(output(Some(address), Some(&path), false))
            }
            None => self.make(cx, wanted, expected, given),
        }
    }
}

fn output(address: Option<Address>, path: Option<&Path>, created: bool) -> Output {
    Output {
        address: address.map(|address| address.to_checksum(None)),
        path: path.map(|path| path.display().to_string()),
        created,
    }
}

impl EthAccount {
    /// The accounts in the folder. A file that geth would pass over silently is a failure where nothing else is there:
    /// a damaged key must not be replaced by a new one.
    fn accounts(&self, cx: &Cx) -> Result<Vec<(PathBuf, Address)>> {
        let mut accounts = Vec::new();
        let mut strange = None;
        for Entry { path, account } in keystore::folder::entries(cx.system, Path::new(&self.keystore))? {
            match account {
                Ok(address) => accounts.push((path, address)),
                Err(failure) => strange = Some((path, failure)),
            }
        }
        match strange {
            Some((path, failure)) if accounts.is_empty() => Err(failure
                .context(format!("{} is left as it is, and no account is made beside it", path.display()))
                .help("restore the keystore file from a backup, or move it away if it is not wanted")),
            _ => Ok(accounts),
        }
    }

    fn choose(
        &self,
        accounts: &[(PathBuf, Address)],
        expected: Option<Address>,
        given: Option<Address>,
    ) -> Result<Option<(PathBuf, Address)>> {
        if let (Some(expected), Some(given)) = (expected, given)
            && expected != given
        {
            return Err(Failure::new(format!("the keystore file to install is of {given}, expected is {expected}")));
        }
        let wanted = expected.or(given);
        let found = accounts.iter().find(|(_, address)| Some(*address) == wanted).cloned();
        match (wanted, accounts) {
            (Some(_), _) if found.is_some() => Ok(found),
            (Some(wanted), [(path, other), ..]) => Err(Failure::new(format!(
                "{} holds the account {other}, expected is {wanted}; nothing is changed",
                path.display()
            ))),
            (Some(wanted), []) if given.is_none() => {
                Err(Failure::new(format!("{} does not hold the expected account {wanted}", self.keystore))
                    .help("install it with `src` or `import_from`, or leave `address` out to have a new account made"))
            }
            (_, []) => Ok(None),
            (None, [one]) => Ok(Some(one.clone())),
            (None, [_, _, ..]) => {
                let names: Vec<String> = accounts.iter().map(|(_, address)| address.to_checksum(None)).collect();
                Err(Failure::new(format!("{} holds several accounts: {}", self.keystore, names.join(", ")))
                    .help("say with `address` which one the node uses"))
            }
        }
    }

    fn given(&self, cx: &Cx) -> Result<Option<(String, Address)>> {
        let text = match (&self.src_blob, &self.import_from) {
            (Some(_), Some(_)) => return Err(Failure::new("give `src` or `import_from`, not both")),
            (Some(blob), None) => eth::small_text(cx, blob)?.to_string(),
            (None, Some(path)) => cx.system.read_text(Path::new(path))?,
            (None, None) => return Ok(None),
        };
        let from = self.src.as_ref().or(self.import_from.as_ref()).map_or("", String::as_str);
        match keystore::address(&text).map_err(|failure| failure.context(from))? {
            Some(address) => Ok(Some((text, address))),
            None => {
                Err(Failure::new(format!("{from}: this keystore file names no address, so geth would pass it over")))
            }
        }
    }

    fn keep_existing(&self, cx: &mut Cx, path: &Path, wanted: Traits) -> Result<()> {
        let Some(password) = self.password(cx)? else {
            return Err(Failure::new(format!(
                "there is the account {}, but no password for it in {}",
                path.display(),
                self.password_file
            ))
            .help("put the password there (mode 0400); a new account is never made in place of one that exists"));
        };
        if self.verify.0 {
            keystore::decrypt(&cx.system.read_text(path)?, &password)
                .map_err(|failure| failure.context(format!("{} with {}", path.display(), self.password_file)))?;
        }
        eth::private_folder(cx, Path::new(&self.keystore), wanted)?;
        eth::keep(cx, path, wanted)?;
        eth::keep(cx, Path::new(&self.password_file), wanted)
    }

    /// The first line of the password file, as geth reads it. None: there is no file.
    fn password(&self, cx: &Cx) -> Result<Option<Secret>> {
        let Some(text) = cx.system.read_text_if_there(Path::new(&self.password_file))? else { return Ok(None) };
        let text = zeroize::Zeroizing::new(text);
        let password = password::first_line(&text);
        if password.expose().is_empty() {
            return Err(Failure::new(format!("{} holds no password: its first line is empty", self.password_file))
                .help("put the password there; if there is no account yet, remove the file and one is made"));
        }
        Ok(Some(password))
    }

    fn make(
        &self,
        cx: &mut Cx,
        wanted: Traits,
        expected: Option<Address>,
        given: Option<(String, Address)>,
    ) -> Result<Output> {
        let folder = Path::new(&self.keystore);
        let password_file = Path::new(&self.password_file);
        eth::private_folder(cx, folder, wanted)?;
        // An earlier run may have ended between the two files: then its password is taken.
        let existing = self.password(cx)?;
        let installed = self.password_blob.as_ref().map(|blob| eth::small_text(cx, blob)).transpose()?;
        let password = match (existing, installed) {
            (Some(password), _) => {
                eth::keep(cx, password_file, wanted)?;
                Some(password)
            }
            (None, Some(text)) => {
                let password = password::first_line(&text);
                write_password(cx, password_file, &password, wanted)?;
                Some(password)
            }
            (None, None) if given.is_some() => {
                return Err(Failure::new(format!(
                    "there is no password for the account to install in {}",
                    self.password_file
                ))
                .help("name a file of the controller with `password_src`, or put the password on the host"));
            }
            (None, None) => {
                let password = password::random()?;
                write_password(cx, password_file, &password, wanted)?;
                Some(password)
            }
        };
        let password = password.ok_or_else(|| Failure::new("no password"))?;
        if let Some((text, address)) = given {
            keystore::decrypt(&text, &password)
                .map_err(|failure| failure.context(format!("the account {address} is not installed")))?;
            let path = folder.join(keystore::file_name(address, jiff::Timestamp::now()));
            cx.change(Diff::action(format!("install account {address} in {}", self.keystore)), |writer| {
                writer.write_new(&path, text.as_bytes(), wanted)
            })?;
            return Ok(output(Some(address), Some(&path), true));
        }
        let made = cx.change(Diff::action(format!("make account in {}", self.keystore)), |writer| {
            let key = AccountKey::generate()?;
            let text = keystore::encrypt(&key, &password, cost())?;
            let path = folder.join(keystore::file_name(key.address(), jiff::Timestamp::now()));
            writer.write_new(&path, text.as_bytes(), wanted)?;
            let read = keystore::decrypt(&writer.system().read_text(&path)?, &password)?;
            if read.address() != key.address() {
                return Err(Failure::new("the new account does not open with its password"));
            }
            Ok((path, key.address()))
        })?;
        debug_assert!(expected.is_none());
        Ok(match made {
            Some((path, address)) => output(Some(address), Some(&path), true),
            None => output(None, None, true),
        })
    }
}

fn write_password(cx: &mut Cx, path: &Path, password: &Secret, wanted: Traits) -> Result<()> {
    if let Some(folder) = path.parent()
        && cx.system.meta(folder)?.is_none()
    {
        eth::private_folder(cx, folder, wanted)?;
    }
    cx.change(Diff::action(format!("write password file {}", path.display())), |writer| {
        let line = zeroize::Zeroizing::new(format!("{}\n", password.expose()));
        writer.write_new(path, line.as_bytes(), wanted)
    })?;
    Ok(())
}

/// Tests of the module would take seconds each with geth's standard cost.
fn cost() -> Kdf {
    if cfg!(test) { keystore::LIGHT } else { keystore::STANDARD }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Outcome, Value};
    use crate::modules::eth_tests::{Host, outcome};
    use serde_json::json;

    fn args() -> Value {
        json!({"keystore": "/data/keystore", "password_file": "/data/password"})
    }

    fn run(host: &Host) -> Result<Outcome> {
        outcome(host, "eth_account", &args(), false)
    }

    #[test]
    fn an_account_is_made_once_and_opens_with_its_password() {
        let host = Host::new();
        let first = run(&host).unwrap();
        let second = run(&host).unwrap();
        assert!(first.changed() && !second.changed());
        assert_eq!(first.output["address"], second.output["address"]);
        let path = first.output["path"].as_str().unwrap();
        assert_eq!((host.mode(path), host.mode("/data/password")), (0o400, 0o400));
        assert_eq!((host.mode("/data"), host.mode("/data/keystore")), (0o700, 0o700));
        let password = host.read("/data/password");
        assert_eq!(password.len(), 41);
        let key = keystore::decrypt(&host.read(path), &Secret::new(password.trim().to_owned())).unwrap();
        assert_eq!(first.output["address"], key.address().to_checksum(None));
        assert!(!format!("{first:?}").contains(password.trim()));
    }

    #[test]
    fn a_run_that_ended_after_the_password_goes_on_with_it() {
        let host = Host::new();
        host.write("/data/password", "from an earlier run\n");
        run(&host).unwrap();
        assert_eq!(host.read("/data/password"), "from an earlier run\n");
        let mut verify = args();
        verify["verify"] = json!(true);
        assert!(!outcome(&host, "eth_account", &verify, false).unwrap().changed());
    }

    #[test]
    fn a_key_without_its_password_is_a_failure_and_no_new_key() {
        let host = Host::new();
        run(&host).unwrap();
        host.remove("/data/password");
        let failure = run(&host).unwrap_err();
        assert!(failure.message.contains("no password"), "{failure}");
        assert!(!host.exists("/data/password"));
        assert_eq!(host.list("/data/keystore").len(), 1);
    }

    #[test]
    fn a_damaged_keystore_file_is_not_replaced() {
        let host = Host::new();
        host.write("/data/keystore/UTC--x", "{\"version\":3");
        assert!(run(&host).unwrap_err().message.contains("left as it is"));
        assert_eq!(host.list("/data/keystore"), ["UTC--x"]);
        assert!(!host.exists("/data/password"));
    }

    #[test]
    fn of_several_accounts_one_must_be_named() {
        let host = Host::new();
        let first = run(&host).unwrap().output["address"].clone();
        let key = AccountKey::generate().unwrap();
        let text = keystore::encrypt(&key, &Secret::new("x".into()), keystore::LIGHT).unwrap();
        host.write("/data/keystore/second", &text);
        let failure = run(&host).unwrap_err();
        assert!(failure.message.contains("several accounts"), "{failure}");
        let mut named = args();
        named["address"] = first.clone();
        assert_eq!(outcome(&host, "eth_account", &named, false).unwrap().output["address"], first);
    }

    #[test]
    fn an_existing_keystore_file_is_installed_only_with_its_password() {
        let host = Host::new();
        let key = AccountKey::generate().unwrap();
        host.write("/old", &keystore::encrypt(&key, &Secret::new("geheim".into()), keystore::LIGHT).unwrap());
        let mut import = args();
        import["import_from"] = json!("/old");
        assert!(outcome(&host, "eth_account", &import, false).is_err());
        host.write("/data/password", "wrong\n");
        assert!(outcome(&host, "eth_account", &import, false).unwrap_err().message.contains("not installed"));
        host.write("/data/password", "geheim\n");
        let done = outcome(&host, "eth_account", &import, false).unwrap();
        assert_eq!(done.output["address"], key.address().to_checksum(None));
        assert!(!outcome(&host, "eth_account", &import, false).unwrap().changed());
    }

    #[test]
    fn check_mode_makes_nothing() {
        let host = Host::new();
        let done = outcome(&host, "eth_account", &args(), true).unwrap();
        assert!(done.changed() && done.output["address"].is_null());
        assert!(!host.exists("/data"));
    }
}
