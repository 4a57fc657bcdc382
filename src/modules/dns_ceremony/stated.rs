//! Whether the others state the genesis that we made.

use crate::chain::ceremony::party::{Doubt, Party, weak};
use crate::chain::ceremony::statement::{self, Statement};
use crate::system::dns::{Found, Resolver};
use crate::system::rest::Until;

/// Statements: in DNS, and as files. Where there are both, both must be of our genesis.
pub struct Statements<'a> {
    resolver: &'a Resolver,
    id: &'a str,
    ours: &'a str,
    received: &'a [Statement],
}

impl<'a> Statements<'a> {
    /// Of the ceremony of this id, and the genesis with this SHA-256.
    pub fn new(resolver: &'a Resolver, id: &'a str, ours: &'a str, received: &'a [Statement]) -> Self {
        Self { resolver, id, ours, received }
    }

    /// Whether a party states our genesis.
    pub fn stated(&self, party: &Party, until: Until) -> Result<(), Doubt> {
        let mut received = self.received.iter().filter(|one| one.fqdn == party.fqdn).peekable();
        let is_here = received.peek().is_some();
        received.try_for_each(|one| one.check(self.id, party, self.ours))?;
        let name = statement::name(&party.fqdn);
        Err(match self.resolver.txt(&name, until) {
            Found::Secure { records, .. } => {
                let statement = Statement::from_txt(self.id, &party.fqdn, &records)
                    .map_err(|failure| Doubt::of("malformed", failure))?;
                return statement.check(self.id, party, self.ours);
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
}
