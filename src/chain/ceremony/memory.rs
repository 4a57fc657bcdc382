//! What has been seen of a ceremony so far.
//!
//! A record that was replaced stays validly signed until its signature expires, and whoever sits on the way can answer with
//! it. Three things are done about that. A record names the ceremony (`c=`), so none from before counts, by whomever it is
//! looked at. A name's signature must not be older than the newest that was ever seen, which is what this memory is for; it
//! outlives the process in a file. And each party signs the hash of the genesis it made, so two parties that were shown
//! different records find out.
//!
//! Nothing protects at first sight: who has no memory yet, and is shown a party's replaced record of this same ceremony,
//! counts it. It is what that party did publish, and what others may have counted before; if they have not, they made
//! another genesis, and nobody's ceremony ends well. A signature's time is in seconds, and a zone signs what was not changed
//! only every few days: a replay is known by a newer signature that was seen, not by its own age.

use super::party::{Doubt, Party};
use super::sheet::Organisation;
use crate::base::{Failure, failure::Result};
use crate::chain::parse_address;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What has been seen, by name in DNS. It is kept as JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// The ceremony's id.
    pub ceremony: String,
    /// By name.
    pub seen: BTreeMap<String, Seen>,
}

/// What a name had when it first counted, and the newest signature since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Its enode.
    pub enode: String,
    /// Its account.
    pub account: String,
    /// The newest time at which its TXT record was signed, in seconds since 1970.
    pub signed: u32,
    /// The same of its address record.
    pub address_signed: u32,
    /// Whether the newest that was seen is something else than what counted.
    #[serde(default)]
    pub changed: bool,
}

impl Memory {
    /// An empty memory of a ceremony.
    pub fn new(ceremony: String) -> Self {
        Self { ceremony, seen: BTreeMap::new() }
    }

    /// Reads it from JSON.
    pub fn read(text: &str) -> Result<Self> {
        serde_json::from_str(text)
            .map_err(|error| Failure::new(format!("this is not the memory of a ceremony: {error}")))
    }

    /// A party as it was when it counted. None, if it never did.
    pub fn party(&self, organisation: &Organisation) -> Result<Option<Party>> {
        let Organisation { name, fqdn } = organisation.clone();
        let Some(seen) = self.seen.get(&fqdn) else { return Ok(None) };
        let (enode, account) = (seen.enode.parse()?, parse_address(&seen.account)?);
        Ok(Some(Party { name, fqdn, enode, account, signed: seen.signed, address_signed: seen.address_signed }))
    }

    /// Remembers a party that counts.
    pub fn remember(&mut self, party: &Party) {
        let mut now = Seen::of(party);
        if let Some(before) = self.seen.get(&party.fqdn) {
            now.signed = now.signed.max(before.signed);
            now.address_signed = now.address_signed.max(before.address_signed);
        }
        self.seen.insert(party.fqdn.clone(), now);
    }

    /// Compares a party with what was seen of it, and notes how new this is.
    pub fn compare(&mut self, party: &Party) -> Result<(), Doubt> {
        let now = Seen::of(party);
        let Some(before) = self.seen.get_mut(&party.fqdn) else { return Ok(()) };
        let same = (&now.enode, &now.account) == (&before.enode, &before.account);
        // Servers sign the same record at different times: one that says what the newest says is no replay.
        let newest = same && !before.changed;
        for (kind, now, before) in
            [("TXT", now.signed, before.signed), ("address", now.address_signed, before.address_signed)]
        {
            if now < before && !newest {
                let (now, before) = (time(now), time(before));
                let why = format!("its {kind} record was signed at {now}, but one signed at {before} has been seen");
                return Err(
                    Doubt::new("replayed", why).help("a cache is behind, or somebody answers with an old record")
                );
            }
        }
        // Noted of a record that is refused, too: what it replaced must not count again.
        before.signed = before.signed.max(now.signed);
        before.address_signed = before.address_signed.max(now.address_signed);
        before.changed = !same;
        if !same {
            // A new key may bring a new account: both are told.
            let changed: Vec<String> = [("", &before.enode, &now.enode), ("account ", &before.account, &now.account)]
                .into_iter()
                .filter(|(_, before, now)| before != now)
                .map(|(what, before, now)| format!("{what}{before} became {now}"))
                .collect();
            return Err(Doubt::new("changed", format!("it was changed in mid-ceremony: {}", changed.join(", "))).help(
                "if that was a mistake, it publishes the first again, and this is run again. Otherwise begin a new ceremony under \
                 another name, in which all publish again: others may have counted the first",
            ));
        }
        Ok(())
    }
}

impl Seen {
    fn of(party: &Party) -> Self {
        Self {
            enode: party.enode.to_string(),
            account: party.account.to_checksum(None),
            signed: party.signed,
            address_signed: party.address_signed,
            changed: false,
        }
    }
}

/// A time as DNSSEC speaks of it, for people.
pub fn time(seconds: u32) -> String {
    let time = jiff::Timestamp::from_second(i64::from(seconds)).ok();
    time.map_or_else(|| seconds.to_string(), |time| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

#[cfg(test)]
mod tests {
    use super::super::party::{judge, tests::good};
    use super::super::sheet::tests::sheet;
    use super::*;
    use crate::chain::NodeKey;

    #[test]
    fn an_old_record_is_replayed_and_a_new_key_is_a_change() {
        let sheet = sheet(&["alpha"]);
        let (key, other) = (NodeKey::generate().unwrap(), NodeKey::generate().unwrap());
        let party = |key: &NodeKey, signed: u32| Party {
            signed,
            ..judge(&sheet, &sheet.organisations[0], good(&sheet, key, 1)).unwrap()
        };
        let look = |memory: &mut Memory, party: &Party| memory.compare(party).map(|()| memory.remember(party));
        let mut memory = Memory::new(sheet.id());
        assert_eq!(look(&mut memory, &party(&key, 1000)), Ok(()));
        assert_eq!(look(&mut memory, &party(&key, 2000)), Ok(()));

        let doubt = look(&mut memory, &party(&other, 1500)).unwrap_err();
        assert_eq!(doubt.state, "replayed");
        assert!(doubt.why.contains("1970-01-01T00:25:00Z") && doubt.why.contains("1970-01-01T00:33:20Z"), "{doubt:?}");
        assert!(!doubt.is_final());
        // Another server signed the same at another time; it does not make the newest forgotten.
        assert_eq!(look(&mut memory, &party(&key, 1800)), Ok(()));
        assert_eq!(look(&mut memory, &party(&other, 1900)).unwrap_err().state, "replayed");
        let mut old_address = Party { address_signed: 99, ..party(&key, 2000) };
        old_address.enode.host = "10.0.0.9".into();
        assert!(look(&mut memory, &old_address).unwrap_err().why.starts_with("its address record was signed at"));

        let doubt = look(&mut memory, &party(&other, 3000)).unwrap_err();
        assert!(doubt.state == "changed" && doubt.is_final());
        let [first, second] = [party(&key, 1), party(&other, 1)];
        let told =
            format!("{} became {}, account {} became {}", first.enode, second.enode, first.account, second.account);
        assert!(doubt.why.ends_with(&told), "{doubt:?}");
        // It stays refused: the first one is what others may have counted.
        assert_eq!(look(&mut memory, &party(&other, 3001)).unwrap_err().state, "changed");
        // That it was changed is not forgotten where somebody answers with the first record again.
        assert_eq!(look(&mut memory, &party(&key, 2000)).unwrap_err().state, "replayed");
        assert_eq!(look(&mut memory, &party(&key, 3002)), Ok(()));
        let text = serde_json::to_string(&memory).unwrap();
        assert_eq!(Memory::read(&text).unwrap(), memory);
        let remembered = memory.party(&sheet.organisations[0]).unwrap().unwrap();
        assert_eq!(memory.compare(&remembered), Ok(()));
        assert!(Memory::read("{}").unwrap_err().message.contains("not the memory of a ceremony"));
    }
}
