//! Two genesis files by their meaning: what makes two networks of them, what parts the chain later, what is nothing.

use super::forks::{FORKS, Fork, Target};
use super::hash::{BlockZero, usual_target};
use super::model::{Engine, Format, Genesis};
use crate::chain::Header;
use crate::chain::client::Version;
use crate::chain::quantity::amount;
use alloy_primitives::{Address, B256, U256, hex};
use std::collections::{BTreeMap, BTreeSet};

/// What a difference does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Block 0 has another hash: two networks from the beginning.
    Hash,
    /// One block 0, but nodes of the two files part on the way.
    Split,
    /// Neither: each node for itself.
    Nothing,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What it does.
    pub weight: Weight,
    /// What differs, for people.
    pub what: String,
    /// In the first file.
    pub one: String,
    /// In the second file.
    pub two: String,
    /// When or why, if there is more to say.
    pub because: Option<String>,
}

/// All that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The gravest first.
    pub differences: Vec<Difference>,
    /// The hashes of block 0, where they follow from the files.
    pub hashes: [Option<B256>; 2],
}

impl Comparison {
    /// Whether two nodes, one with each file, stay in one network.
    pub fn same(&self) -> bool {
        self.differences.iter().all(|difference| difference.weight == Weight::Nothing)
            && self.hashes[0] == self.hashes[1]
    }
}

/// Compares for `target`, or each file for the usual client of its format.
pub fn compare(one: &Genesis, two: &Genesis, target: Option<Target>) -> Comparison {
    let targets = [one, two].map(|genesis| target.unwrap_or_else(|| usual_target(genesis.format, genesis.engine)));
    let hash = |genesis: &Genesis, target| BlockZero::new(genesis).ok().map(|block| block.header(target).hash());
    let mut comparer = Comparer { one, two, named: target, targets, found: Vec::new() };
    comparer.header();
    comparer.accounts();
    comparer.chain();
    comparer.schedule();
    comparer.settings();
    let mut differences = comparer.found;
    differences.sort_by_key(|difference| difference.weight);
    Comparison { differences, hashes: [hash(one, targets[0]), hash(two, targets[1])] }
}

struct Comparer<'a> {
    one: &'a Genesis,
    two: &'a Genesis,
    /// Who is asked for; none: each file's usual client.
    named: Option<Target>,
    targets: [Target; 2],
    found: Vec<Difference>,
}

impl Comparer<'_> {
    fn add(&mut self, weight: Weight, what: &str, one: String, two: String, because: Option<String>) {
        if one != two {
            self.found.push(Difference { weight, what: what.to_owned(), one, two, because });
        }
    }

    fn specifications(&self) -> usize {
        [self.one, self.two].iter().filter(|genesis| genesis.format == Format::Parity).count()
    }

    /// Block 0 of each as its client makes it: what files say otherwise and clients take for the same is no difference.
    fn header(&mut self) {
        let one = BlockZero::without_accounts(self.one).header(self.targets[0]);
        let two = BlockZero::without_accounts(self.two).header(self.targets[1]);
        let mut field = |what: &str, show: &dyn Fn(&Header) -> String| {
            self.add(Weight::Hash, what, show(&one), show(&two), None);
        };
        let number = |gas: Option<u64>| gas.map_or("none".to_owned(), |gas| gas.to_string());
        let hash = |hash: Option<B256>| hash.map_or("none".to_owned(), |hash| hash.to_string());
        field("nonce", &|header| hex::encode_prefixed(header.nonce));
        field("timestamp", &|header| header.timestamp.to_string());
        field("gas limit", &|header| header.gas_limit.to_string());
        field("difficulty", &|header| header.difficulty.to_string());
        field("mix hash", &|header| header.mix_hash.to_string());
        field("coinbase", &|header| header.coinbase.to_string());
        field("number", &|header| header.number.to_string());
        field("gas used", &|header| header.gas_used.to_string());
        field("parent hash", &|header| header.parent_hash.to_string());
        field("seal", &|header| {
            let seal = header.aura.as_ref();
            seal.map_or("none".into(), |seal| format!("step {}, {}", seal.step, hex::encode_prefixed(&seal.signature)))
        });
        field("base fee", &|header| header.base_fee.map_or("none".into(), |fee| fee.to_string()));
        field("root of withdrawals", &|header| hash(header.withdrawals_root));
        field("blob gas used", &|header| number(header.blob_gas_used));
        field("excess blob gas", &|header| number(header.excess_blob_gas));
        field("root of the beacon block", &|header| hash(header.parent_beacon_root));
        field("hash of requests", &|header| hash(header.requests_hash));
        field("hash of the access list", &|header| hash(header.block_access_list_hash));
        field("slot number", &|header| number(header.slot_number));
        let root = |genesis: &Genesis| genesis.state_root.map_or("of the accounts".into(), |root| root.to_string());
        self.add(Weight::Hash, "state root", root(self.one), root(self.two), None);
        self.extra_data();
    }

    fn extra_data(&mut self) {
        let (one, two) = (self.one, self.two);
        if one.extra_data == two.extra_data {
            return;
        }
        // The validators of a chain specification stand among its settings.
        let listed =
            |genesis: &Genesis| if genesis.format == Format::Parity { Vec::new() } else { genesis.validators() };
        let (ours, theirs) = (listed(one), listed(two));
        let list = |mine: &[Address], others: &[Address]| -> String {
            let more: Vec<String> = mine.iter().filter(|a| !others.contains(a)).map(Address::to_string).collect();
            if more.is_empty() {
                format!("{} signers", mine.len())
            } else {
                format!("{} signers, among them {}", mine.len(), more.join(", "))
            }
        };
        if !ours.is_empty() && !theirs.is_empty() && ours != theirs {
            let because = (ours.iter().collect::<BTreeSet<_>>() == theirs.iter().collect())
                .then(|| "only their order differs".to_owned());
            let (ours, theirs) = match because {
                Some(_) => (format!("{ours:?}"), format!("{theirs:?}")),
                None => (list(&ours, &theirs), list(&theirs, &ours)),
            };
            self.add(Weight::Hash, "signers in the extra data", ours, theirs, because);
        } else {
            let show =
                |genesis: &Genesis| super::json::shorten(&hex::encode_prefixed(&genesis.extra_data)).into_owned();
            let (ours, theirs) = (show(one), show(two));
            let differs = ours == theirs;
            let length = |genesis: &Genesis, text: String| {
                if differs { format!("{text} ({} bytes)", genesis.extra_data.len()) } else { text }
            };
            let (mut ours, theirs) = (length(one, ours), length(two, theirs));
            if ours == theirs {
                ours.push_str(", other bytes");
            }
            self.add(Weight::Hash, "extra data", ours, theirs, None);
        }
    }

    fn accounts(&mut self) {
        let (one, two) = (self.one, self.two);
        let addresses: BTreeSet<&Address> = one.alloc.keys().chain(two.alloc.keys()).collect();
        for address in addresses {
            let what = format!("account {address}");
            match (one.alloc.get(address), two.alloc.get(address)) {
                (Some(ours), Some(theirs)) if ours == theirs => {}
                (Some(ours), Some(theirs)) => {
                    let mut field = |name: &str, ours: String, theirs: String, weight: Weight| {
                        self.add(weight, &format!("{what}: {name}"), ours, theirs, None);
                    };
                    field("balance", amount(ours.balance), amount(theirs.balance), Weight::Hash);
                    field("nonce", ours.nonce.to_string(), theirs.nonce.to_string(), Weight::Hash);
                    let code = |code: &[u8]| {
                        if code.is_empty() {
                            "none".to_owned()
                        } else {
                            format!("{} bytes, {}", code.len(), crate::chain::keccak256(code))
                        }
                    };
                    field("code", code(&ours.code), code(&theirs.code), Weight::Hash);
                    let slots: BTreeSet<&B256> = ours.storage.keys().chain(theirs.storage.keys()).collect();
                    for slot in slots {
                        let value = |account: &super::Account| account.storage.get(slot).copied().unwrap_or_default();
                        let weight = if value(ours) == value(theirs) { Weight::Nothing } else { Weight::Hash };
                        let show = |account: &super::Account| {
                            account.storage.get(slot).map_or("none".to_owned(), B256::to_string)
                        };
                        field(&format!("slot {slot}"), show(ours), show(theirs), weight);
                    }
                }
                (ours, theirs) => {
                    let show = |account: Option<&super::Account>| {
                        account.map_or("none".to_owned(), |account| amount(account.balance))
                    };
                    self.add(Weight::Hash, &what, show(ours), show(theirs), None);
                }
            }
        }
        let list =
            |genesis: &Genesis| genesis.constructors.iter().map(Address::to_string).collect::<Vec<_>>().join(", ");
        self.add(Weight::Hash, "contracts with constructors", list(one), list(two), None);
    }

    fn chain(&mut self) {
        let (one, two) = (self.one, self.two);
        let id = |genesis: &Genesis| genesis.chain_id.map_or("none".to_owned(), |id| id.to_string());
        let because = "nodes refuse each other, and a transaction for one is invalid for the other";
        self.add(Weight::Split, "chain id", id(one), id(two), Some(because.into()));
        let engine = |genesis: &Genesis| genesis.engine.name().to_owned();
        let because = "each refuses the other's block 1";
        if one.engine != Engine::Unknown && two.engine != Engine::Unknown {
            self.add(Weight::Split, "engine", engine(one), engine(two), Some(because.into()));
        }
        let ttd = |genesis: &Genesis| {
            genesis.terminal_total_difficulty.map_or("none".to_owned(), |ttd: U256| ttd.to_string())
        };
        self.add(
            Weight::Split,
            "terminal total difficulty",
            ttd(one),
            ttd(two),
            Some("the merge comes at another block".into()),
        );
    }

    fn schedule(&mut self) {
        // A chain specification speaks of transitions, of which a fork has many: they are compared as settings.
        if self.specifications() > 0 {
            return;
        }
        let (one, two) = (self.one, self.two);
        for fact in FORKS {
            let (ours, theirs) = (one.forks.get(&fact.fork), two.forks.get(&fact.fork));
            if ours == theirs {
                continue;
            }
            let unit = if fact.fork.timed() { "time" } else { "block" };
            let show = |at: Option<&u64>| at.map_or("never".to_owned(), |at| format!("{unit} {at}"));
            let begun = (one.begins_with(fact.fork), two.begins_with(fact.fork));
            let brought = brought(fact.fork);
            let in_header = self.found.iter().any(|found| brought.contains(&found.what.as_str()));
            let known = self.targets.iter().any(|target| target.knows(fact.fork));
            let first = ours.into_iter().chain(theirs).min().copied().unwrap_or_default();
            let (weight, because) = if !known {
                (Weight::Nothing, "this client does not know the fork".to_owned())
            } else if begun.0 != begun.1 && in_header {
                (Weight::Hash, "the fork brings a field into block 0".to_owned())
            } else if begun == (true, true) {
                (Weight::Nothing, "it is on from block 0 in both".to_owned())
            } else if matches!(fact.fork, Fork::MuirGlacier | Fork::ArrowGlacier | Fork::GrayGlacier)
                && one.engine != Engine::Ethash
            {
                (
                    Weight::Split,
                    "it changes only the fork id: nodes refuse each other as peers once one has passed it".to_owned(),
                )
            } else {
                (Weight::Split, format!("from {unit} {first} on; other fork ids before"))
            };
            if weight == Weight::Hash {
                // The fields that it brings are said with it.
                self.found.retain(|found| !brought.contains(&found.what.as_str()));
            }
            self.add(weight, fact.name, show(ours), show(theirs), Some(because));
        }
    }

    fn settings(&mut self) {
        let (one, two) = (self.one, self.two);
        if self.specifications() == 1 {
            return;
        }
        // Each file for its own client: what geth and Besu call by two names is one setting.
        let name = |path: &String| -> String {
            match path.as_str() {
                "clique.blockperiodseconds" if self.named.is_none() => "clique.period".into(),
                "clique.epochlength" if self.named.is_none() => "clique.epoch".into(),
                _ => path.clone(),
            }
        };
        let settings = |genesis: &Genesis| -> BTreeMap<String, String> {
            genesis.settings.iter().map(|(path, text)| (name(path), text.clone())).collect()
        };
        let (ours, theirs) = (settings(one), settings(two));
        let paths: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
        for path in paths {
            let show = |side: &BTreeMap<String, String>| match side.get(path).map(String::as_str) {
                None => "none".to_owned(),
                Some("") => "{}".to_owned(),
                Some(text) => text.to_owned(),
            };
            let (weight, because) = self.weigh(path, [ours.get(path), theirs.get(path)]);
            self.add(weight, path, show(&ours), show(&theirs), because.map(str::to_owned));
        }
    }

    /// What a setting does that is no fork.
    fn weigh(&self, path: &str, values: [Option<&String>; 2]) -> (Weight, Option<&'static str>) {
        let later = |fork: Fork| [self.one, self.two].iter().any(|genesis| genesis.forks.get(&fork) > Some(&0));
        match path {
            "daoforksupport" if values.iter().all(|value| value.is_none_or(|text| text == "false")) => {
                (Weight::Nothing, Some("left out it is false"))
            }
            "daoforksupport" if [self.one, self.two].iter().any(|genesis| genesis.forks.contains_key(&Fork::Dao)) => (
                Weight::Split,
                Some("at `daoForkBlock` geth moves the DAO's balances and wants its mark in ten blocks, or refuses it"),
            ),
            "daoforksupport" => (Weight::Nothing, Some("there is no `daoForkBlock`")),
            "eip150hash" if !later(Fork::Eip150) => (Weight::Nothing, Some("no block comes before `eip150Block`")),
            "eip150hash" if matches!(self.named, Some(Target::Geth(version)) if version >= FREE_OF_EIP150_HASH) => {
                (Weight::Nothing, Some("this geth does not look at it"))
            }
            "eip150hash" => (
                Weight::Split,
                Some("older geths, 1.10 among them, refuse the block at `eip150Block` without this hash"),
            ),
            _ => weigh(path),
        }
    }
}

/// A geth that passes `eip150Hash` over: 1.13.15 starts even with one that is no hash, 1.10.26 does not.
const FREE_OF_EIP150_HASH: Version = Version(1, 13, 15);

/// The fields that a fork brings into block 0, by the names that [`Comparer::header`] gives them.
const fn brought(fork: Fork) -> &'static [&'static str] {
    match fork {
        Fork::London => &["base fee"],
        Fork::Shanghai => &["root of withdrawals"],
        Fork::Cancun => &["blob gas used", "excess blob gas", "root of the beacon block"],
        Fork::Prague => &["hash of requests"],
        Fork::Amsterdam => &["hash of the access list", "slot number"],
        _ => &[],
    }
}

/// The same, where the path alone says it.
fn weigh(path: &str) -> (Weight, Option<&'static str>) {
    match path {
        "clique.period" | "clique.blockperiodseconds" => {
            (Weight::Split, Some("a block that comes earlier than one's own period is refused"))
        }
        "clique.epoch" | "clique.epochlength" => {
            (Weight::Split, Some("at the end of the shorter epoch one side expects the list of signers"))
        }
        "ethash" | "isdev" | "terminaltotaldifficultypassed" => (Weight::Nothing, Some("no block depends on it")),
        _ if path.ends_with("requesttimeoutseconds")
            || path.contains(".gossiped")
            || path.contains("messagequeue")
            || path.contains("futuremessages")
            || path.contains("duplicatemessage") =>
        {
            (Weight::Nothing, Some("each node for itself; different values only make agreement slower"))
        }
        _ if path.starts_with("discovery") || path.starts_with("checkpoint") || path == "name" => {
            (Weight::Nothing, Some("each node for itself"))
        }
        _ => (Weight::Split, None),
    }
}

#[cfg(test)]
mod tests {
    use super::super::build::{Clique, Common};
    use super::super::read;
    use super::*;
    use crate::base::Source;

    fn network(change: impl Fn(&mut Common, &mut Clique)) -> String {
        let mut common = Common { chain_id: 46_781, gas_limit: 30_000_000, ..Common::default() };
        common.forks.extend(super::super::forks::CLIQUE_FORKS.iter().map(|fork| (*fork, 0)));
        common
            .alloc
            .insert(Address::repeat_byte(3), super::super::Account { balance: U256::from(5), ..Default::default() });
        let mut clique = Clique { period: 5, epoch: 30_000, signers: vec![Address::repeat_byte(1)], besu: false };
        change(&mut common, &mut clique);
        clique.to_json(&common).unwrap()
    }

    fn differences(one: &str, two: &str) -> Vec<(Weight, String)> {
        let (one, two) = (Source::new("a", one), Source::new("b", two));
        let (one, two) = (read::read(&one, None).unwrap(), read::read(&two, None).unwrap());
        let comparison = compare(&one.genesis, &two.genesis, None);
        assert_eq!(
            comparison.differences.iter().any(|difference| difference.weight == Weight::Hash),
            comparison.hashes[0] != comparison.hashes[1],
            "{comparison:?}"
        );
        comparison.differences.into_iter().map(|difference| (difference.weight, difference.what)).collect()
    }

    #[test]
    fn notation_is_no_difference() {
        let one = network(|_, _| ());
        let two = one.replace("\"0x1c9c380\"", "30000000").replace("chainId", "chainid").replace("\"0303", "\"0x0303");
        assert_ne!(one, two);
        assert_eq!(differences(&one, &two), []);
    }

    #[test]
    fn each_difference_has_its_weight() {
        let one = network(|_, _| ());
        let of = |change: &dyn Fn(&mut Common, &mut Clique)| differences(&one, &network(change));
        assert_eq!(of(&|common, _| common.gas_limit = 1), [(Weight::Hash, "gas limit".into())]);
        assert_eq!(of(&|common, _| common.chain_id = 1), [(Weight::Split, "chain id".into())]);
        assert_eq!(of(&|_, clique| clique.period = 1), [(Weight::Split, "clique.period".into())]);
        assert_eq!(of(&|common, _| common.forks.extend([(Fork::London, 9)])), [(Weight::Hash, "London".into())]);
        assert_eq!(of(&|common, _| common.forks.extend([(Fork::Berlin, 9)])), [(Weight::Split, "Berlin".into())]);
        assert_eq!(
            of(&|_, clique| clique.signers = vec![Address::repeat_byte(2)]),
            [(Weight::Hash, "signers in the extra data".into())]
        );
        let account = format!("account {}", Address::repeat_byte(4));
        assert_eq!(
            of(&|common, _| drop(common.alloc.insert(Address::repeat_byte(4), super::super::Account::default()))),
            [(Weight::Hash, account)]
        );
    }

    #[test]
    fn besu_s_names_for_clique_are_those_of_geth() {
        let besu = network(|_, clique| clique.besu = true);
        assert!(besu.contains("blockperiodseconds"));
        assert_eq!(differences(&network(|_, _| ()), &besu), []);
        let slower = network(|_, clique| clique.period = 7);
        assert_eq!(differences(&slower, &besu), [(Weight::Split, "clique.period".into())]);
        // geth passes Besu's names over, and seals then without a period.
        let (one, two) = (Source::new("a", network(|_, _| ())), Source::new("b", besu));
        let (one, two) = (read::read(&one, None).unwrap(), read::read(&two, None).unwrap());
        assert!(!compare(&one.genesis, &two.genesis, Some(Target::NEWEST)).same());
    }

    #[test]
    fn the_dao_s_fork_splits_where_it_comes_and_is_nothing_elsewhere() {
        let with = |dao: bool, support: Option<bool>| {
            network(|common, _| {
                common.forks.extend(dao.then_some((Fork::Dao, 0)));
                common.config.extend(support.map(|support| ("daoForkSupport".into(), support.into())));
            })
        };
        let support = |weight| [(weight, "daoforksupport".to_owned())];
        assert_eq!(differences(&with(true, Some(true)), &with(true, Some(false))), support(Weight::Split));
        assert_eq!(differences(&with(true, Some(true)), &with(true, None)), support(Weight::Split));
        assert_eq!(differences(&with(true, Some(false)), &with(true, None)), support(Weight::Nothing));
        assert_eq!(differences(&with(false, Some(true)), &with(false, None)), support(Weight::Nothing));
    }

    #[test]
    fn a_hash_of_eip_150_splits_old_geths_where_a_block_comes_before_it() {
        let with = |at: u64, byte: u8| {
            network(|common, _| {
                common.forks.insert(Fork::Eip150, at);
                common.config.insert("eip150Hash".into(), B256::repeat_byte(byte).to_string().into());
            })
        };
        let hash = |weight| [(weight, "eip150hash".to_owned())];
        assert_eq!(differences(&with(5, 1), &with(5, 2)), hash(Weight::Split));
        assert_eq!(differences(&with(0, 1), &with(0, 2)), hash(Weight::Nothing));
    }

    proptest::proptest! {
        /// What is said to change the hash changes it, and nothing else does, whoever reads the files.
        #[test]
        fn the_hash_changes_exactly_when_it_is_said(
            fees in [0..3_usize, 0..3], limits in [0..3_usize, 0..3], londons in [0..3_usize, 0..3], shanghais in [0..3_usize, 0..3],
            cancuns in [0..3_usize, 0..3], excesses in [0..3_usize, 0..3], reader in 0..6_usize,
        ) {
            let make = |side: usize| {
                let mut genesis = Genesis::empty(Format::Geth, Engine::ProofOfStake);
                genesis.base_fee = [None, Some(U256::from(1_000_000_000)), Some(U256::ONE)][fees[side]];
                genesis.gas_limit = [0, 4_712_388, 5][limits[side]];
                // Without the forks before it, it makes a header with a gap, in which zero and nothing are one.
                if [londons, shanghais, cancuns].iter().all(|fork| fork[side] == 1) {
                    genesis.excess_blob_gas = [None, Some(0), Some(7)][excesses[side]];
                }
                for (fork, at) in [(Fork::London, londons[side]), (Fork::Shanghai, shanghais[side]), (Fork::Cancun, cancuns[side])] {
                    genesis.forks.extend([None, Some(0), Some(9)][at].map(|at| (fork, at)));
                }
                genesis
            };
            let version = |a, b, c| Target::Geth(crate::chain::client::Version(a, b, c));
            let target = [version(1, 9, 25), version(1, 10, 26), version(1, 11, 0), version(1, 13, 15), Target::NEWEST, Target::BESU][reader];
            let comparison = compare(&make(0), &make(1), Some(target));
            let said = comparison.differences.iter().any(|found| found.weight == Weight::Hash);
            proptest::prop_assert_eq!(said, comparison.hashes[0] != comparison.hashes[1], "{:?}", comparison);
        }
    }
}
