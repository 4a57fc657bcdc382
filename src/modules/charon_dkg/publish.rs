//! Telling the API the lock, once all operators have theirs: whoever was cut off in the last moment finds it there.

use super::folder::Folder;
use super::made::LOCK;
use super::{CharonDkg, Cx, Result};
use crate::base::{Diff, Failure, Value};
use crate::chain::B256;
use crate::chain::charon::Lock;
use crate::chain::charon::api::{Api, Trouble};
use crate::system::{System, Traits, Writer};
use std::time::Duration;

/// Holds the hash of the lock that the API has: it is not asked again.
const NOTE: &str = ".dkg-published";
/// How often it is tried in one run; the next run tries again.
const TRIES: usize = 3;

impl CharonDkg {
    /// Whether the API is to have the lock. One that nobody signed it would not take.
    fn publishes(&self) -> bool {
        let of_the_api = self.operator.is_some() && self.definition_file.is_none() && self.lock_hash.is_none();
        self.publish.map_or(of_the_api, |it| it.0) && !self.allow_unsigned.0
    }

    /// Tells the API the lock, if it does not have it. That it cannot be told is no failure: the cluster is made, and a later run
    /// tells it.
    pub(super) fn publish(&self, cx: &mut Cx, folder: &Folder, lock: &Lock, created: bool) -> Result<()> {
        let (note, hash) = (folder.inside(NOTE), lock.lock_hash.to_string());
        let noted = cx.system.read_text_if_there(&note)?.is_some_and(|text| text.trim() == hash);
        if !self.publishes() || noted {
            return Ok(());
        }
        let (line, file) = (cx.lines(), folder.inside(LOCK));
        let told = |told: Result<(), Trouble>, writer: &Writer| match told {
            Ok(()) => writer.write(&note, format!("{hash}\n").as_bytes(), Traits::mode(0o600)),
            Err(trouble) => {
                let (why, file) = (trouble.failure.message, file.display());
                line(&format!("the API is not told the lock ({why}); an operator who was cut off now needs {file}"));
                Ok(())
            }
        };
        let config_hash = B256::try_from(lock.definition.config_hash.0.as_slice());
        let config_hash = config_hash.map_err(|_| Failure::new("the config hash has not 32 bytes"))?;
        let mut api = Api::new(cx.system, &self.api);
        api.patience = Duration::from_secs(10);
        let has_it = self.tries(cx.system, || api.lock_of(config_hash).map(|lock| lock.is_some()));
        match has_it {
            Ok(false) => {
                let json: Value = serde_json::from_str(&cx.system.read_text(&file)?).unwrap_or_default();
                let tell = |writer: &Writer| told(self.tries(writer.system(), || api.publish(&json)), writer);
                if created {
                    tell(&cx.system.writer())
                } else {
                    cx.change(Diff::action(format!("tell {} the lock {hash}", self.api)), tell).map(|_| ())
                }
            }
            _ if cx.check => Ok(()),
            known => told(known.map(|_| ()), &cx.system.writer()),
        }
    }

    fn tries<T>(&self, system: &System, ask: impl Fn() -> Result<T, Trouble>) -> Result<T, Trouble> {
        let wait = Duration::from_secs(u64::try_from(self.first_wait.0).unwrap_or(1));
        for _ in 1..TRIES {
            match ask() {
                Err(trouble) if trouble.passing => system.rest(trouble.after.unwrap_or(wait))?,
                answer => return answer,
            }
        }
        ask()
    }
}
