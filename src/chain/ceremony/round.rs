//! One look at all names of a sheet.

use super::memory::Memory;
use super::party::{Answers, Doubt, Party, judge, shared};
use super::poll::Standing;
use super::sheet::{Organisation, Sheet};
use crate::system::dns::{Found, Resolver};
use crate::system::rest::Until;

/// What is known of an organisation after a round.
pub type Status = Result<Party, Doubt>;

/// Asks a resolver, and nothing that could not count.
pub fn answers(resolver: &Resolver, fqdn: &str, until: Until) -> Answers {
    let mut all = Answers { txt: resolver.txt(fqdn, until), v4: Found::Missing { proven_by: None }, v6: Found::NoName };
    if matches!(all.txt, Found::Secure { .. }) {
        all.v4 = resolver.v4(fqdn, until);
    }
    if matches!(all.v4, Found::Missing { proven_by: Some(_) }) {
        all.v6 = resolver.v6(fqdn, until);
    }
    all
}

/// Looks at every organisation, in the sheet's order. Where the engine knows only the node key's own account
/// (`node_account`), a record that names another is refused.
pub fn round(
    sheet: &Sheet,
    node_account: bool,
    memory: &mut Memory,
    mut ask: impl FnMut(&Organisation) -> Answers,
) -> Vec<Status> {
    let mut all: Vec<Status> = sheet
        .organisations
        .iter()
        .map(|organisation| one(sheet, organisation, node_account, memory, ask(organisation)))
        .collect();
    let parties: Vec<Party> = all.iter().filter_map(|status| status.as_ref().ok().cloned()).collect();
    for (fqdn, doubt) in shared(&parties) {
        let place = sheet.organisations.iter().position(|organisation| organisation.fqdn == fqdn);
        if let Some(status) = place.and_then(|place| all.get_mut(place)).filter(|status| status.is_ok()) {
            *status = Err(doubt);
        }
    }
    // Only what counts is remembered: whoever shares something by mistake may correct it, and has changed nothing by that.
    for party in all.iter().flatten() {
        memory.remember(party);
    }
    all
}

fn one(
    sheet: &Sheet,
    organisation: &Organisation,
    node_account: bool,
    memory: &mut Memory,
    answers: Answers,
) -> Status {
    let party = judge(sheet, organisation, answers)?;
    if node_account && party.account != party.enode.address() {
        return Err(Doubt::new(
            "malformed",
            format!("`a={}` is not the account of the node's key, and this engine knows no other", party.account),
        )
        .help("leave `a=` out of the TXT record"));
    }
    memory.compare(&party)?;
    Ok(party)
}

/// Looks at those that joined later, in the sheet's order. One that has what somebody else has already is refused alone:
/// `parties`, and whoever stands before it on the sheet, were there first.
pub fn joined(
    sheet: &Sheet,
    node_account: bool,
    memory: &mut Memory,
    parties: &[Party],
    mut ask: impl FnMut(&Organisation) -> Answers,
) -> Vec<Status> {
    let mut there = parties.to_vec();
    let each = sheet.joined.iter().map(|organisation| {
        let party = one(sheet, organisation, node_account, memory, ask(organisation))?;
        there.push(party.clone());
        if let Some((_, doubt)) = shared(&there).into_iter().find(|(fqdn, _)| *fqdn == party.fqdn) {
            there.pop();
            return Err(doubt);
        }
        memory.remember(&party);
        Ok(party)
    });
    each.collect()
}

/// How organisations stand after a round, for [`poll`](super::poll::poll).
pub fn standings(organisations: &[Organisation], statuses: &[Status]) -> Vec<Standing> {
    let each = organisations.iter().zip(statuses);
    each.map(|(organisation, status)| {
        let state = match status {
            Ok(party) => Ok(format!("valid, {} port {}", party.enode.host, party.enode.tcp)),
            Err(doubt) => Err(doubt.clone()),
        };
        Standing::new(organisation, state)
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::super::party::tests::{good, missing};
    use super::super::sheet::tests::sheet;
    use super::*;
    use crate::chain::NodeKey;

    #[test]
    fn a_round_tells_each_organisation_s_state() {
        let sheet = sheet(&["alpha", "beta", "gamma"]);
        let key = NodeKey::generate().unwrap();
        let mut memory = Memory::new(sheet.id());
        let statuses = round(&sheet, true, &mut memory, |organisation| match organisation.name.as_str() {
            "gamma" => Answers { txt: missing(), ..good(&sheet, &key, 3) },
            "alpha" => good(&sheet, &key, 1),
            _ => good(&sheet, &key, 2),
        });
        let lines: Vec<String> = standings(&sheet.organisations, &statuses).iter().map(ToString::to_string).collect();
        assert!(lines[0].starts_with("alpha (node.alpha.example): shared: it has the same key as beta"), "{lines:?}");
        assert!(lines[1].starts_with("beta (node.beta.example): shared: it has the same key as alpha"), "{lines:?}");
        assert_eq!(lines[2], "gamma (node.gamma.example): missing: it has no TXT record");

        let keys: Vec<NodeKey> = (0..3).map(|_| NodeKey::generate().unwrap()).collect();
        let mut memory = Memory::new(sheet.id());
        let mut number = 0;
        let statuses = round(&sheet, true, &mut memory, |_| {
            number += 1;
            good(&sheet, &keys[number - 1], u8::try_from(number).unwrap())
        });
        assert!(statuses.iter().all(Result::is_ok), "{statuses:?}");
        assert_eq!(memory.seen.len(), 3);
    }

    #[test]
    fn who_joins_with_the_key_of_another_is_refused_and_the_other_is_not() {
        let both = sheet(&["alpha", "delta", "echo"]).organisations;
        let sheet = Sheet { joined: both[1..].to_vec(), ..sheet(&["alpha"]) };
        let keys: Vec<NodeKey> = (0..2).map(|_| NodeKey::generate().unwrap()).collect();
        let mut memory = Memory::new(sheet.id());
        let parties: Vec<Party> =
            round(&sheet, false, &mut memory, |_| good(&sheet, &keys[0], 1)).into_iter().flatten().collect();
        let mut look = |of_delta: &NodeKey| {
            joined(&sheet, false, &mut memory, &parties, |organisation| match organisation.name.as_str() {
                "delta" => good(&sheet, of_delta, 2),
                _ => good(&sheet, &keys[1], 3),
            })
        };
        let lines = |statuses: &[Status]| -> Vec<String> {
            standings(&sheet.joined, statuses).iter().map(ToString::to_string).collect()
        };
        let copied = lines(&look(&keys[0]));
        assert!(
            copied[0].starts_with("delta (node.delta.example): shared: it has the same key as alpha"),
            "{copied:?}"
        );
        assert!(copied[1].starts_with("echo (node.echo.example): valid"), "{copied:?}");
        let own = look(&NodeKey::generate().unwrap());
        assert!(own.iter().all(Result::is_ok), "{own:?}");
        assert_eq!(memory.seen.len(), 3);
    }

    #[test]
    fn who_shared_an_address_by_mistake_may_correct_it() {
        let sheet = sheet(&["alpha", "beta"]);
        let keys: Vec<NodeKey> = (0..2).map(|_| NodeKey::generate().unwrap()).collect();
        let mut memory = Memory::new(sheet.id());
        let mut look = |addresses: [u8; 2]| {
            let mut number = 0;
            round(&sheet, true, &mut memory, |_| {
                number += 1;
                good(&sheet, &keys[number - 1], addresses[number - 1])
            })
        };
        let shared = look([1, 1]);
        assert!(shared.iter().all(|status| status.as_ref().is_err_and(|doubt| doubt.state == "shared")), "{shared:?}");
        let corrected = look([1, 2]);
        assert!(corrected.iter().all(Result::is_ok), "{corrected:?}");
        // From now on it is a change.
        assert!(look([1, 3])[1].as_ref().is_err_and(|doubt| doubt.state == "changed"));
    }
}
