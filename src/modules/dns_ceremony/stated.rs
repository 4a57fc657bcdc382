//! Whether the others state the genesis that we made.

use crate::chain::ceremony::party::{Doubt, Party, weak};
use crate::chain::ceremony::statement::{self, Statement};
use crate::system::dns::{Found, Resolver};
use crate::system::rest::Until;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// As long may a cache keep a statement that its party has replaced: no longer than we would have it kept ourselves.
const KEPT: Duration = Duration::from_mins(1);

/// Statements: in DNS, and as files. Where there are both, both must be of our genesis.
pub struct Statements<'a> {
    resolver: &'a Resolver,
    id: &'a str,
    ours: &'a str,
    received: &'a [Statement],
    /// Of whom there is another genesis in DNS, and from when on that is no cache's doing.
    behind: BTreeMap<String, Instant>,
}

impl<'a> Statements<'a> {
    /// Of the ceremony of this id, and the genesis with this SHA-256.
    pub fn new(resolver: &'a Resolver, id: &'a str, ours: &'a str, received: &'a [Statement]) -> Self {
        Self { resolver, id, ours, received, behind: BTreeMap::new() }
    }

    /// Whether a party states our genesis.
    pub fn stated(&mut self, party: &Party, until: Until) -> Result<(), Doubt> {
        let mut received = self.received.iter().filter(|one| one.fqdn == party.fqdn).peekable();
        let is_here = received.peek().is_some();
        received.try_for_each(|one| one.check(self.id, party, self.ours))?;
        let name = statement::name(&party.fqdn);
        Err(match self.resolver.txt(&name, until) {
            Found::Secure { records, signed } => {
                let statement = Statement::from_txt(self.id, &party.fqdn, &records)
                    .map_err(|failure| Doubt::of("malformed", failure))?;
                let checked = statement.check(self.id, party, self.ours);
                return self.settle(&party.fqdn, checked, signed.ttl, Instant::now());
            }
            Found::Missing { .. } | Found::NoName if is_here => return Ok(()),
            Found::Missing { .. } | Found::NoName => Doubt::new("missing", format!("there is no statement at {name}")),
            Found::Insecure => Doubt::new("insecure", format!("{name} is not signed")),
            Found::Weak(what) => weak(&name, &what),
            Found::Bogus(why) => Doubt::new("bogus", format!("{name} does not validate: {why}")),
            Found::Alias(target) => Doubt::new("alias", format!("{name} is an alias of {target}")),
            Found::Unanswered(why) => Doubt::new("unanswered", why),
        })
    }

    /// That it is another genesis is final when it is still so after a cache cannot have it any more.
    fn settle(&mut self, fqdn: &str, checked: Result<(), Doubt>, ttl: u32, now: Instant) -> Result<(), Doubt> {
        match checked {
            Err(doubt) if doubt.is_final() => {
                let kept = Duration::from_secs(ttl.into()).min(KEPT);
                let settled = *self.behind.entry(fqdn.to_owned()).or_insert(now + kept);
                Err(if now < settled { doubt.for_now("a cache may be behind: it is looked at again") } else { doubt })
            }
            other => {
                self.behind.remove(fqdn);
                other
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_genesis_is_final_when_no_cache_can_be_behind_any_more() {
        let resolver = Resolver::new(&["127.0.0.1:1".parse().unwrap()], None, Duration::from_secs(1)).unwrap();
        let mut all = Statements::new(&resolver, "id", "ours", &[]);
        let began = Instant::now();
        let mut final_after = |seconds: u64, ttl: u32, checked: Result<(), Doubt>| {
            let now = began + Duration::from_secs(seconds);
            all.settle("node.beta.example", checked, ttl, now).err().map(|doubt| doubt.is_final())
        };
        let different = || Err(Doubt::new("different", "it has made another genesis"));
        assert_eq!(final_after(0, 20, different()), Some(false));
        assert_eq!(final_after(19, 1, different()), Some(false));
        assert_eq!(final_after(20, 9, different()), Some(true));
        // The right one was there meanwhile: that it differs again may be a cache's doing again. It keeps it for a minute at most.
        assert_eq!(final_after(21, 20, Ok(())), None);
        assert_eq!(final_after(22, 86400, different()), Some(false));
        assert_eq!(final_after(82, 86400, different()), Some(true));
        // What is wrong with it otherwise is told as it is.
        assert_eq!(final_after(83, 60, Err(Doubt::new("forged", "x"))), Some(false));
    }
}
