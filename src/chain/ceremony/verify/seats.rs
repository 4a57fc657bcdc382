//! Who may seal: by the genesis, with the names of those who are on the sheet, and by the node.

use super::{Agreed, Difference, Member};
use crate::base::{Failure, Value, failure::Result};
use crate::chain::genesis::Engine;
use crate::chain::{Address, Enode, parse_address};
use std::collections::BTreeSet;

const CHECK: &str = "validators";

/// Where a node tells who may seal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Where {
    /// One of these methods, the first that it knows, tells accounts.
    Accounts(&'static [(&'static str, &'static [&'static str])]),
    /// One of these methods, the first that it knows, tells enodes.
    Enodes(&'static [(&'static str, &'static [&'static str])]),
    /// No method does: it is those who sealed the newest blocks, two for each who may.
    Sealers,
}

/// What to ask a node with this genesis.
pub fn ask(agreed: &Agreed) -> Result<Where> {
    Ok(match agreed.genesis.engine {
        Engine::Clique => Where::Accounts(&[("clique_getSigners", &[])]),
        // Besu's name, then GoQuorum's.
        Engine::Qbft => {
            Where::Accounts(&[("qbft_getValidatorsByBlockNumber", &["latest"]), ("istanbul_getValidators", &[])])
        }
        Engine::Ibft2 => Where::Accounts(&[("ibft_getValidatorsByBlockNumber", &["latest"])]),
        Engine::Istanbul => Where::Accounts(&[("istanbul_getValidators", &[])]),
        // From 0.10 on the one, before it the other.
        Engine::Autonity => Where::Enodes(&[("tendermint_getCommitteeEnodes", &[]), ("tendermint_getWhitelist", &[])]),
        Engine::Aura => Where::Sealers,
        engine @ (Engine::Ethash | Engine::ProofOfStake | Engine::Unknown) => {
            return Err(Failure::new(format!(
                "this genesis has no validators that could be asked for: it is {}",
                engine.name()
            )));
        }
    })
}

/// The accounts that may seal by the genesis. Where a contract decides it, those of everybody on the sheet.
pub fn accounts_of(agreed: &Agreed) -> Vec<Address> {
    if agreed.genesis.engine == Engine::Autonity {
        return enodes_of(agreed).iter().map(Enode::address).collect();
    }
    let accounts = agreed.genesis.validators();
    if accounts.is_empty() { agreed.members.iter().map(|member| member.account).collect() } else { accounts }
}

/// The enodes in an Autonity genesis: `users` of 0.7 (the whitelist has all of them), `validators` of 0.10 and later.
pub fn enodes_of(agreed: &Agreed) -> Vec<Enode> {
    let genesis: Value = serde_json::from_str(&agreed.text).unwrap_or_default();
    let config = &genesis["config"];
    let lists = [&config["autonityContract"]["users"], &config["autonity"]["validators"]];
    let users = lists.into_iter().filter_map(Value::as_array).flatten();
    users.filter_map(|user| user["enode"].as_str()?.parse().ok()).collect()
}

/// Those who joined later: they may seal, but nobody waits for them, as they are voted in by hand. We do for ourselves.
fn joined(agreed: &Agreed) -> (Vec<&Member>, Vec<&Member>) {
    agreed.joined.iter().partition(|member| agreed.own.as_deref() == Some(member.name.as_str()))
}

/// Who joined later and may seal, but does not (yet) by the node's list of enodes or accounts.
pub fn outstanding<'a>(agreed: &'a Agreed, found: &Value) -> Vec<&'a str> {
    let list: Vec<&str> = texts(found).unwrap_or_default();
    let is = |member: &Member, text: &str| match text.parse::<Enode>() {
        Ok(enode) => enode.public_key == member.enode.public_key,
        Err(_) => parse_address(text).is_ok_and(|account| account == member.account),
    };
    let absent = agreed.joined.iter().filter(|member| !list.iter().any(|text| is(member, text)));
    absent.map(|member| member.name.as_str()).collect()
}

/// The accounts that must be among those who seal, and those that may.
fn sides(agreed: &Agreed) -> (BTreeSet<Address>, BTreeSet<Address>) {
    let (ourselves, others) = joined(agreed);
    let mut wanted: BTreeSet<Address> = accounts_of(agreed).into_iter().collect();
    wanted.extend(ourselves.iter().map(|member| member.account));
    let mut allowed = wanted.clone();
    allowed.extend(others.iter().map(|member| member.account));
    (wanted, allowed)
}

/// Compares accounts that the node told.
pub fn accounts(agreed: &Agreed, found: &Value) -> Vec<Difference> {
    let list: Result<Vec<Address>> =
        texts(found).and_then(|list| list.iter().map(|text| parse_address(text)).collect());
    let found: BTreeSet<Address> = match list {
        Ok(list) => list.into_iter().collect(),
        Err(failure) => return vec![unreadable(&failure)],
    };
    let (wanted, allowed) = sides(agreed);
    let mut differences = Vec::new();
    for account in wanted.difference(&found) {
        let name = name(agreed, |member| member.account == *account);
        differences.push(missing(name, agreed, &account.to_string()));
    }
    for account in found.difference(&allowed) {
        let known = name(agreed, |member| member.account == *account);
        differences.push(stranger(known, &account.to_string()));
    }
    differences
}

/// Compares enodes that the node told: the key says who it is, address and port must then be those of DNS.
pub fn enodes(agreed: &Agreed, found: &Value) -> Vec<Difference> {
    let list: Result<Vec<Enode>> = texts(found).and_then(|list| list.iter().map(|text| text.parse()).collect());
    let found = match list {
        Ok(list) => list,
        Err(failure) => return vec![unreadable(&failure)],
    };
    let same = |one: &Enode, two: &Enode| one.public_key == two.public_key;
    let named = |enode: &Enode| name(agreed, |member| same(&member.enode, enode));
    let mut differences = Vec::new();
    let (ourselves, others) = joined(agreed);
    let mut seats: Vec<(Enode, bool)> = enodes_of(agreed).into_iter().map(|enode| (enode, true)).collect();
    seats.extend(ourselves.iter().map(|member| (member.enode.clone(), true)));
    seats.extend(others.iter().map(|member| (member.enode.clone(), false)));
    for (seat, required) in &seats {
        let held: Vec<&Enode> = found.iter().filter(|enode| same(enode, seat)).collect();
        match held.as_slice() {
            [] if *required => differences.push(missing(named(seat), agreed, &short(seat))),
            [one] if place(one) != place(seat) => {
                let who = named(seat).unwrap_or("it");
                let why = format!("{who} ({}) is at {} by the node, at {} by DNS", key(seat), place(one), place(seat));
                differences.push(Difference::new(CHECK, why));
            }
            [] | [_] => {}
            several => {
                let places: Vec<String> = several.iter().map(|enode| place(enode)).collect();
                let who = named(seat).unwrap_or("one");
                differences.push(Difference::new(
                    CHECK,
                    format!("{who} ({}) is there {} times: {}", key(seat), several.len(), places.join(", ")),
                ));
            }
        }
    }
    for enode in found.iter().filter(|enode| !seats.iter().any(|(seat, _)| same(seat, enode))) {
        differences.push(stranger(named(enode), &short(enode)));
    }
    differences
}

/// Compares those who sealed the newest blocks, where nothing else tells who may.
pub fn sealers(agreed: &Agreed, blocks: &[Value]) -> Vec<Difference> {
    let mut seen = BTreeSet::new();
    let mut differences = Vec::new();
    for block in blocks {
        match sealer(block) {
            Some(account) => drop(seen.insert(account)),
            None => differences
                .push(Difference::new(CHECK, format!("block {} does not say who sealed it", block["number"]))),
        }
    }
    let (wanted, allowed) = sides(agreed);
    let turns = 2 * wanted.len();
    for account in wanted.difference(&seen) {
        let name = name(agreed, |member| member.account == *account);
        let who = name.map_or_else(|| account.to_string(), |name| format!("{name} ({account})"));
        let why = format!("{who} has sealed none of the last {} blocks", blocks.len());
        // Each has its turn once in as many steps as there are authorities; one that was late has another.
        differences.push(if blocks.len() < turns {
            Difference::passing(CHECK, why)
        } else {
            Difference::new(CHECK, why)
        });
    }
    for account in seen.difference(&allowed) {
        let known = name(agreed, |member| member.account == *account);
        differences.push(stranger(known, &account.to_string()));
    }
    differences
}

/// Who sealed a block by its own words: Parity says `author`, others `miner`.
pub fn sealer(block: &Value) -> Option<Address> {
    ["author", "miner"].iter().find_map(|field| parse_address(block[*field].as_str()?).ok())
}

/// Our own node by its own words. Its address counts only where it knows one at which others could reach it.
pub fn own(own: &Member, told: &str) -> Vec<Difference> {
    const CHECK: &str = "own node";
    let told: Enode = match told.parse() {
        Ok(told) => told,
        Err(failure) => return vec![Difference::new(CHECK, failure.message)],
    };
    if told.public_key != own.enode.public_key {
        let why = format!("the node's key is {}, and DNS says {} of {}", key(&told), key(&own.enode), own.name);
        return vec![Difference::new(CHECK, why)];
    }
    if is_known(&told, &own.enode) && place(&told) != place(&own.enode) {
        let why = format!("the node says that it is at {}, and DNS says {}", place(&told), place(&own.enode));
        return vec![Difference::new(CHECK, why)];
    }
    Vec::new()
}

/// Whether the place that a node tells of itself is more than its view from behind a translated address.
fn is_known(told: &Enode, published: &Enode) -> bool {
    let inner = |ip: std::net::IpAddr| match ip.to_canonical() {
        std::net::IpAddr::V4(ip) => ip.is_private() || ip.is_link_local(),
        std::net::IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local(),
    };
    match (told.ip(), published.ip()) {
        (Some(told), _) if told.is_loopback() || told.is_unspecified() => false,
        (Some(told), Some(published)) => inner(published) || !inner(told),
        _ => true,
    }
}

/// The other parties with whose nodes ours is not connected. `keys` are those of its peers.
pub fn peers(agreed: &Agreed, own: &Member, keys: &[String]) -> Vec<Difference> {
    let others = agreed.members.iter().filter(|member| member.enode.public_key != own.enode.public_key);
    let away = others.filter(|member| !keys.contains(&member.enode.public_key));
    away.map(|member| {
        Difference::passing("peers", format!("{} ({}) is no peer of ours", member.name, short(&member.enode)))
    })
    .collect()
}

fn name(agreed: &Agreed, is: impl Fn(&Member) -> bool) -> Option<&str> {
    agreed.members.iter().chain(&agreed.joined).find(|member| is(member)).map(|member| member.name.as_str())
}

fn missing(name: Option<&str>, agreed: &Agreed, what: &str) -> Difference {
    Difference::new(
        CHECK,
        match name {
            Some(name) if agreed.own.as_deref() == Some(name) => format!("we ourselves are missing: {name} ({what})"),
            Some(name) => format!("{name} is missing ({what})"),
            None => format!("{what} is missing, which the genesis names"),
        },
    )
}

fn stranger(known: Option<&str>, what: &str) -> Difference {
    Difference::new(
        CHECK,
        match known {
            Some(name) => format!("{name} ({what}) is one, but not by the genesis"),
            None => format!("{what} is one, and nobody's on the sheet"),
        },
    )
}

fn unreadable(failure: &Failure) -> Difference {
    Difference::new(CHECK, format!("the node's answer cannot be read: {}", failure.message))
}

fn texts(found: &Value) -> Result<Vec<&str>> {
    let list = found.as_array().ok_or_else(|| Failure::new(format!("{found} is not a list")))?;
    list.iter().map(|one| one.as_str().ok_or_else(|| Failure::new(format!("{one} is not a text")))).collect()
}

/// Address and port in one form: `::ffff:10.0.0.1` is `10.0.0.1`.
fn place(enode: &Enode) -> String {
    match enode.ip().map(|ip| ip.to_canonical()) {
        Some(std::net::IpAddr::V6(ip)) => format!("[{ip}]:{}", enode.tcp),
        Some(ip) => format!("{ip}:{}", enode.tcp),
        None => format!("{}:{}", enode.host.trim_end_matches('.').to_ascii_lowercase(), enode.tcp),
    }
}

fn key(enode: &Enode) -> String {
    format!("{}..", &enode.public_key[..16])
}

fn short(enode: &Enode) -> String {
    format!("enode://{}@{}", key(enode), place(enode))
}
