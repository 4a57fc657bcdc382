//! How `dns_ceremony` looks at the organisations, and what it has seen of them.

use super::{DnsCeremony, shown};
use crate::base::{Failure, Value, failure::Result};
use crate::chain::ceremony::poll::{Pace, Standing, poll};
use crate::chain::ceremony::sheet::Organisation;
use crate::chain::ceremony::{Doubt, Entry, Memory, Party, Sheet, Statement, round, txt};
use crate::modules::Cx;
use crate::modules::loose::Text;
use crate::system::Traits;
use crate::system::dns::Resolver;
use crate::system::rest::Until;
use std::net::IpAddr;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How long those are looked at again that joined later and of whom no answer comes. Nobody waits for them longer.
const LATE: Duration = Duration::from_mins(1);

/// What has been seen.
#[derive(Default)]
pub struct Seen {
    /// Those that count, of those that make the genesis.
    pub parties: Vec<Party>,
    /// Those that count, of those that joined later.
    newcomers: Vec<Party>,
    organisations: Vec<Standing>,
    joined: Vec<Standing>,
}

impl Seen {
    /// How each stands.
    pub fn standings(&self) -> impl Iterator<Item = &Standing> {
        self.organisations.iter().chain(&self.joined)
    }

    /// The one of this name, if it counts.
    pub fn by_name(&self, name: &str) -> Option<&Party> {
        self.parties.iter().chain(&self.newcomers).find(|party| party.name == name)
    }

    /// Those that joined later, as data; whether they stated the genesis, too, where that was asked.
    pub fn newcomers(&self, statements: bool) -> Vec<Value> {
        let each = self.newcomers.iter().map(|party| {
            let mut value = shown(party);
            if statements {
                value["stated"] = self.joined.iter().any(|one| one.fqdn == party.fqdn && one.state.is_ok()).into();
            }
            value
        });
        each.collect()
    }
}

impl DnsCeremony {
    fn own_name(&self) -> &str {
        self.organisation.as_ref().map_or("", |name| name.0.as_str())
    }

    /// Our own party.
    pub(super) fn own<'a>(&self, seen: &'a Seen) -> Result<&'a Party> {
        seen.by_name(self.own_name()).ok_or_else(|| Failure::new("our own organisation does not count"))
    }

    /// Waits until all count that make the genesis, and we ourselves; then looks at those that joined later. The second
    /// result is how the waiting ended.
    pub(super) fn look(
        &self,
        cx: &Cx,
        sheet: &Sheet,
        node_account: bool,
        expected: Option<&Expected>,
        resolver: &Resolver,
    ) -> Result<(Seen, Result<()>)> {
        let ask = |organisation: &Organisation, until: Until| round::answers(resolver, &organisation.fqdn, until);
        let mut memory = self.remembered(cx, &sheet.id())?;
        let mut seen = Seen::default();
        let wait = |look: &mut dyn FnMut(Until) -> Result<Vec<Standing>>| {
            poll(self.pace(cx.check), &cx.system.cancelled, &|line| cx.line(line), look)
        };
        let ended = wait(&mut |until| {
            let before = memory.clone();
            let mut statuses = round::round(sheet, node_account, &mut memory, |one| ask(one, until));
            self.is_ours(expected, &mut statuses, &before, &mut memory);
            self.remember(cx, &before, &memory)?;
            seen.organisations = round::standings(&sheet.organisations, &statuses);
            seen.parties = statuses.into_iter().flatten().collect();
            Ok(seen.organisations.clone())
        });
        if ended.is_err() || sheet.joined.is_empty() {
            return Ok((seen, ended));
        }
        let mut look = |seen: &mut Seen, until: Until| -> Result<()> {
            let before = memory.clone();
            let mut statuses = round::joined(sheet, node_account, &mut memory, &seen.parties, |one| ask(one, until));
            self.is_ours(expected, &mut statuses, &before, &mut memory);
            self.remember(cx, &before, &memory)?;
            seen.joined = round::standings(&sheet.joined, &statuses);
            seen.newcomers = statuses.into_iter().flatten().collect();
            Ok(())
        };
        let ended = wait(&mut |until| {
            look(&mut seen, until)?;
            Ok(seen.joined.iter().filter(|one| one.name == self.own_name()).cloned().collect())
        });
        if ended.is_ok() && seen.joined.iter().any(is_late) && !self.pace(cx.check).deadline.is_zero() {
            self.late(cx, |until| {
                look(&mut seen, until)?;
                Ok(seen.joined.iter().filter(|one| is_late(one)).cloned().collect())
            })?;
        }
        for other in seen.joined.iter().filter(|one| one.name != self.own_name()) {
            cx.line(&format!("joined later: {other}"));
        }
        Ok((seen, ended))
    }

    /// Looks at those whose answer is late, until it is there. That it does not come is no failure.
    fn late(&self, cx: &Cx, mut look: impl FnMut(Until) -> Result<Vec<Standing>>) -> Result<()> {
        let pace = self.pace(cx.check);
        let pace = Pace { deadline: pace.deadline.min(LATE), ..pace };
        let mut failed = None;
        let ended = poll(pace, &cx.system.cancelled, &|line| cx.line(line), |until| {
            look(until).inspect_err(|failure| failed = Some(failure.clone()))
        });
        match (failed, ended) {
            (Some(failure), _) => Err(failure),
            (None, Err(failure)) if cx.system.cancelled.load(Ordering::Relaxed) => Err(failure),
            (None, _) => Ok(()),
        }
    }

    /// What our own records must say.
    pub(super) fn expected(&self) -> Result<Option<Expected>> {
        let txt = self.expect_txt.as_ref().filter(|text| !text.is_empty());
        let address = self.expect_address.as_ref().filter(|address| !address.0.is_empty());
        if txt.is_none() && address.is_none() {
            return Ok(None);
        }
        if self.organisation.is_none() {
            return Err(Failure::new("`expect_txt` and `expect_address` need `organisation`"));
        }
        let read = |text: &String| txt::read(&[vec![text.clone().into_bytes()]]);
        let entry = txt.map(read).transpose().map_err(|failure| failure.context("`expect_txt`"))?;
        let parse = |Text(address): &Text| {
            let wrong = |_| Failure::new(format!("`expect_address` is `{address}`, not an IP address"));
            address.trim().parse().map_err(wrong)
        };
        Ok(Some(Expected { entry, address: address.map(parse).transpose()? }))
    }

    /// We ourselves do not count with records that are not what we published; and such are not remembered, as they are a mistake.
    fn is_ours(&self, expected: Option<&Expected>, statuses: &mut [round::Status], before: &Memory, now: &mut Memory) {
        let Some(expected) = expected else { return };
        for status in statuses {
            let Ok(party) = &*status else { continue };
            let Some(doubt) = expected.doubt(party).filter(|_| party.name == self.own_name()) else { continue };
            match before.seen.get(&party.fqdn) {
                Some(seen) => now.seen.insert(party.fqdn.clone(), seen.clone()),
                None => now.seen.remove(&party.fqdn),
            };
            *status = Err(doubt);
        }
    }

    fn remembered(&self, cx: &Cx, id: &str) -> Result<Memory> {
        let Some(path) = &self.memory else { return Ok(Memory::new(id.to_owned())) };
        let Some(text) = cx.system.read_text_if_there(Path::new(path))? else { return Ok(Memory::new(id.to_owned())) };
        let memory = Memory::read(&text).map_err(|failure| failure.context(path).help("move it away to begin anew"))?;
        // Another ceremony's memory says nothing about this one.
        Ok(if memory.ceremony == id { memory } else { Memory::new(id.to_owned()) })
    }

    /// What has been seen is no change of the host: it is noted even where nothing else happens.
    fn remember(&self, cx: &Cx, before: &Memory, memory: &Memory) -> Result<()> {
        let Some(path) = self.memory.as_ref().filter(|_| !cx.check && before != memory) else { return Ok(()) };
        let text = serde_json::to_string_pretty(memory).map_err(|error| Failure::new(error.to_string()))?;
        cx.system.writer().write(Path::new(path), (text + "\n").as_bytes(), Traits::mode(0o600))
    }

    /// The statements that came in another way.
    pub(super) fn received(&self, cx: &Cx, sheet: &Sheet) -> Result<Vec<Statement>> {
        let read = |path: &String| {
            let text = cx.system.read_text(Path::new(path))?;
            let statement = Statement::read(&text).map_err(|failure| failure.context(path))?;
            sheet.by_fqdn(&statement.fqdn).map(|_| statement).map_err(|failure| failure.context(path))
        };
        self.received.0.iter().map(read).collect()
    }

    /// Waits until every organisation that makes the genesis has stated this same one, and we ourselves; then looks at what
    /// those stated that joined later. False where statements are still missing in check mode.
    pub(super) fn compare(
        &self,
        cx: &Cx,
        seen: &mut Seen,
        ours: &str,
        mut stated: impl FnMut(&Party, Until) -> Result<(), Doubt>,
    ) -> Result<bool> {
        let mut standing = |party: &Party, until: Until| {
            let organisation = Organisation { name: party.name.clone(), fqdn: party.fqdn.clone() };
            let state = stated(party, until).map(|()| format!("states the same genesis, {}..", &ours[..12]));
            Standing::new(&organisation, state)
        };
        let (own, others): (Vec<&Party>, Vec<&Party>) =
            seen.newcomers.iter().partition(|party| party.name == self.own_name());
        let waited: Vec<&Party> = seen.parties.iter().chain(own).collect();
        let mut last = Vec::new();
        let ended = poll(self.pace(cx.check), &cx.system.cancelled, &|line| cx.line(line), |until| {
            last = waited.iter().map(|party| standing(party, until)).collect();
            Ok(last.clone())
        });
        match ended {
            Err(failure) if cx.check && last.iter().all(is_there_or_missing) => {
                cx.line(&failure.message);
                return Ok(false);
            }
            ended => ended?,
        }
        let mut later: Vec<Standing> = Vec::new();
        self.late(cx, |until| {
            later = others.iter().map(|party| standing(party, until)).collect();
            Ok(later.iter().filter(|one| is_late(one)).cloned().collect())
        })?;
        for now in later {
            cx.line(&format!("joined later: {now}"));
            if let Some(before) = seen.joined.iter_mut().find(|before| before.fqdn == now.fqdn) {
                *before = now;
            }
        }
        Ok(true)
    }
}

/// What our own records must say.
pub(super) struct Expected {
    entry: Option<Entry>,
    address: Option<IpAddr>,
}

impl Expected {
    fn doubt(&self, party: &Party) -> Option<Doubt> {
        let differs = |what: &str, there: &str, ours: &str| {
            (there != ours).then(|| format!("DNS has the {what} {there}, and we published {ours}"))
        };
        let entry = self.entry.as_ref();
        let account = |entry: &Entry| {
            let own = entry.account.map(|account| account.to_checksum(None));
            // Without one it is that of the key, which is compared.
            own.and_then(|own| differs("account", &party.account.to_checksum(None), &own))
        };
        let why = entry
            .and_then(|entry| differs("key", &party.enode.public_key, &entry.key))
            .or_else(|| entry.and_then(account))
            .or_else(|| entry.and_then(|entry| differs("port", &party.enode.tcp.to_string(), &entry.port.to_string())))
            .or_else(|| {
                let there = party.enode.ip().map_or_else(|| party.enode.host.clone(), |ip| ip.to_string());
                self.address.and_then(|address| differs("address", &there, &address.to_string()))
            });
        why.map(|why| {
            Doubt::new("mistaken", why)
                .help("correct our zone (an old A record counts before an AAAA: delete it), and run this again")
        })
    }
}

/// No answer yet, or perhaps a former one.
fn is_late(standing: &Standing) -> bool {
    standing.state.as_ref().is_err_and(|doubt| match doubt.state {
        "different" => !doubt.is_final(),
        state => state == "unanswered",
    })
}

fn is_there_or_missing(standing: &Standing) -> bool {
    standing.state.as_ref().map_or_else(|doubt| doubt.state == "missing", |_| true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::{Enode, NodeKey};

    #[test]
    fn a_record_of_ours_that_is_not_what_we_published_is_a_mistake_and_is_not_remembered() {
        let (key, other) = (NodeKey::generate().unwrap().public_key(), NodeKey::generate().unwrap().public_key());
        let own: DnsCeremony = serde_json::from_value(serde_json::json!({"sheet": {}, "organisation": "alpha",
            "expect_txt": format!("p=30303; k={key}"), "expect_address": "2001:db8::1"}))
        .unwrap();
        let expected = own.expected().unwrap();
        let look = |key: &str, host: &str, port: u16| {
            let enode = Enode::new(key, host, port, port).unwrap();
            let (name, fqdn, account) = ("alpha".into(), "node.alpha.example".into(), enode.address());
            let party = Party { name, fqdn, account, enode, signed: 1, address_signed: 1 };
            let (before, mut memory) = (Memory::new("x".into()), Memory::new("x".into()));
            memory.remember(&party);
            let mut statuses = [Ok(party)];
            own.is_ours(expected.as_ref(), &mut statuses, &before, &mut memory);
            assert_eq!(memory.seen.is_empty(), statuses[0].is_err());
            statuses[0].clone().map_or_else(|doubt| format!("{}: {}", doubt.state, doubt.why), |_| "ours".into())
        };
        assert_eq!(look(&key, "2001:db8::1", 30303), "ours");
        assert_eq!(
            look(&key, "10.0.0.1", 30303),
            "mistaken: DNS has the address 10.0.0.1, and we published 2001:db8::1"
        );
        assert!(look(&other, "2001:db8::1", 30303).starts_with("mistaken: DNS has the key"));
        assert!(look(&key, "2001:db8::1", 30304).contains("the port 30304, and we published 30303"));
    }
}
