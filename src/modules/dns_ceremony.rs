//! `dns_ceremony`: resolves what the organisations of a ceremony have published, and makes the genesis of it.

mod look;
mod stated;

use super::eth::{keep, traits_or_later};
use super::loose::{Flag, Number, Text, Words};
use super::{Cx, Module, Result};
use crate::base::event::Proof;
use crate::base::{Diff, Failure, Value};
use crate::chain::ceremony::poll::{Pace, Standing};
use crate::chain::ceremony::template::Filled;
use crate::chain::ceremony::txt::{quoted, zone_line};
use crate::chain::ceremony::{Doubt, Party, Sheet, Statement, Template, statement};
use crate::chain::keystore::password::first_line;
use crate::chain::{AccountKey, keystore};
use crate::system::dns::{Resolver, in_resolv_conf, parse_server};
use look::Seen;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use stated::Statements;
use std::path::Path;
use std::time::Duration;

/// Resolves the names of all organisations on a sheet, with DNSSEC validated on this host, again and again until all of them
/// count; then fills the genesis template, and signs a statement of it.
///
/// A record counts only if its chain of signatures leads to the trust anchor. How each organisation stands is told while it
/// waits. One that changes its key after it has counted ends the ceremony at once, by name; at the deadline those that are
/// missing are named. What only SHA-1 vouches for (RSASHA1, or a DS with no other digest) does not count. In check mode it looks once and does not wait; that records or statements are missing is no failure then.
///
/// Two runs make a ceremony: the first writes genesis and statement, whose TXT record is then published at
/// `_ceremony.NAME`; the second, with `statements`, waits for everybody's and compares. (Where both are one run, the record to
/// publish is told before it waits.)
///
/// Organisations that joined later (`joined` on the sheet) are not waited for, and the genesis has nothing of theirs: how they
/// stand is told. Where `organisation` is one of them, its own record and statement are waited for as well.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct DnsCeremony {
    /// The sheet: `ceremony` (a name), `template_sha256`, `organisations` (a list of `name` and `fqdn`), `joined` (the same
    /// of those that joined later), `require_id` (default true: a record must say `c=ID`). A table, or the same as JSON.
    pub sheet: Value,
    /// The genesis template on the host. Without it only the enodes are resolved.
    #[serde(default)]
    pub template: Option<String>,
    /// Where to write the genesis. One that is there with other content is not overwritten. With `statements` it is written
    /// when everybody has stated it.
    #[serde(default)]
    pub dest: Option<String>,
    /// Which organisation this host belongs to: its name on the sheet. It is the one that signs.
    #[serde(default)]
    pub organisation: Option<Text>,
    /// The text of the TXT record that `organisation` published, as `dns_ceremony_record` returns it. If DNS has another key,
    /// account or port, we do not count ourselves, and nothing is made.
    #[serde(default)]
    pub expect_txt: Option<String>,
    /// The same with its address: an old A record that was left beside a new AAAA is found.
    #[serde(default)]
    pub expect_address: Option<Text>,
    /// Where to write our statement, as JSON.
    #[serde(default)]
    pub statement: Option<String>,
    /// The key that signs it, on the host: a keystore file, or a node's key file where the account is the node key's.
    #[serde(default)]
    pub sign_with: Option<String>,
    /// The file with the keystore's password.
    #[serde(default)]
    pub password_file: Option<String>,
    /// Wait for everybody's statement, too, and compare. One of another genesis ends it when it is still there after a minute: a
    /// cache may be behind.
    #[serde(default)]
    pub statements: Flag,
    /// Statements that came in another way than by DNS: files on the host, with what `statement` writes. One counts where its
    /// party has none in DNS. Who brought it does not matter, as it is signed.
    #[serde(default)]
    pub received: Words,
    /// The resolvers to ask, as `10.0.0.53` or `[2001:db8::53]:5353`. Default: those of `/etc/resolv.conf`. They are not
    /// trusted.
    #[serde(default)]
    pub resolvers: Words,
    /// A file on the host with the DNSKEY records of a root of your own. Default: the keys of the Internet's root.
    #[serde(default)]
    pub trust_anchor: Option<String>,
    /// A file on the host that keeps what has been seen from run to run, so that a replayed record or a changed key is
    /// known. At first sight it cannot help: who is shown a record of this ceremony that its party has since replaced, before
    /// he has seen another, counts it; only the statements show then that others made another genesis.
    #[serde(default)]
    pub memory: Option<String>,
    /// Seconds between two looks.
    #[serde(default = "ten")]
    pub interval: Number,
    /// Where nothing changes, looks become rarer, up to this many seconds.
    #[serde(default = "minute")]
    pub max_interval: Number,
    /// The deadline: how long to wait for all, in seconds. 0 is one look, of a minute at most.
    #[serde(default = "hour")]
    pub timeout: Number,
    /// How long to wait for each answer of a resolver, in seconds.
    #[serde(default = "five")]
    pub query_timeout: Number,
    /// Who owns the files.
    #[serde(default)]
    pub owner: Option<String>,
    /// The files' group.
    #[serde(default)]
    pub group: Option<String>,
}

fn ten() -> Number {
    Number(10)
}
fn minute() -> Number {
    Number(60)
}
fn hour() -> Number {
    Number(3600)
}
fn five() -> Number {
    Number(5)
}

/// What `dns_ceremony` returns.
#[derive(Debug, Default, Serialize)]
pub struct Output {
    /// The ceremony's id: what `c=` in the records must say.
    id: String,
    /// Whether all organisations count, and have stated the genesis where that was asked. Only check mode returns without.
    complete: bool,
    /// How each stands: `name`, `fqdn`, `state`, `why`.
    organisations: Vec<Value>,
    /// What they have: `name`, `fqdn`, `enode`, `account`.
    parties: Vec<Value>,
    /// The same of those that joined later, as far as they count; with `statements` also `stated`, whether they stated the
    /// same genesis.
    joined: Vec<Value>,
    /// The enodes, in the sheet's order.
    enodes: Vec<String>,
    /// SHA-256 of the genesis.
    genesis_sha256: Option<String>,
    /// Hash of block 0, where it follows from the file.
    genesis_hash: Option<String>,
    /// Our statement.
    statement: Option<Statement>,
    /// The TXT record to publish: `record` and `value`.
    statement_txt: Option<Value>,
    /// Evidence.
    proofs: Vec<Proof>,
}

impl Module for DnsCeremony {
    const NAME: &'static str = "dns_ceremony";
    const EXAMPLE: &'static str = "\
- dns_ceremony:
    sheet: \"{{ sheet }}\"
    template: /etc/geth/genesis-template.json
    dest: /etc/geth/genesis.json
    organisation: alpha
    statement: /etc/geth/statement.json
    sign_with: /var/lib/geth/keystore/UTC--2026-01-01T00-00-00Z--5aaeb6053f3e94c9b9a09f33669435e7ef1beaed
    password_file: /var/lib/geth/password
    memory: /var/lib/geth/ceremony.json
    resolvers: [192.0.2.53, \"[2001:db8::53]:53\"]
    timeout: 86400
  register: ceremony

- dns_ceremony: {sheet: \"{{ sheet }}\", template: /etc/geth/genesis-template.json, statements: true}";
    type Output = Output;

    fn run(&self, cx: &mut Cx) -> Result<Output> {
        let sheet = Sheet::from_value(&self.sheet)?;
        let template = self.template(cx, &sheet)?;
        let resolver = self.resolver(cx)?;
        if let Some(Text(name)) = &self.organisation {
            sheet.by_name(name)?;
        }
        let expected = self.expected()?;
        let key = self.key(cx)?;
        let received = self.received(cx, &sheet)?;
        let node_account = template.as_ref().is_some_and(Template::account_is_the_node_s);
        let (mut seen, ended) = self.look(cx, &sheet, node_account, expected.as_ref(), &resolver)?;
        let mut output = Output {
            id: sheet.id(),
            complete: ended.is_ok(),
            parties: seen.parties.iter().map(shown).collect(),
            enodes: seen.parties.iter().map(|party| party.enode.to_string()).collect(),
            ..Output::default()
        };
        match ended {
            // What would be made is not known before all have published.
            Err(failure) if cx.check && !seen.standings().any(is_final) => cx.line(&failure.message),
            ended => {
                ended?;
                let all = format!("{} organisations, each by DNSSEC from the trust anchor", seen.parties.len());
                output.proofs.push(Proof::new("validated", all));
                if let Some(template) = &template {
                    let genesis = template.fill(&seen.parties)?;
                    self.state(cx, &output.id.clone(), &genesis, key.as_ref(), &seen, &mut output)?;
                    if self.statements.0 {
                        let mut all = Statements::new(&resolver, &output.id, &genesis.sha256, &received);
                        output.complete =
                            self.compare(cx, &mut seen, &genesis.sha256, |party, until| all.stated(party, until))?;
                    }
                    if self.statements.0 && output.complete {
                        let all = format!("{} signed statements of the same genesis", seen.parties.len());
                        output.proofs.push(Proof::new("agreed", all));
                    }
                    if output.complete {
                        self.write_genesis(cx, &genesis)?;
                    }
                }
            }
        }
        output.organisations = seen.standings().map(Standing::to_value).collect();
        output.joined = seen.newcomers(self.statements.0);
        Ok(output)
    }
}

fn is_final(standing: &Standing) -> bool {
    standing.state.as_ref().is_err_and(Doubt::is_final)
}

fn shown(party: &Party) -> Value {
    json!({
        "name": party.name,
        "fqdn": party.fqdn,
        "enode": party.enode.to_string(),
        "account": party.account.to_checksum(None),
    })
}

fn seconds(number: Number) -> Duration {
    Duration::from_secs(u64::try_from(number.0).unwrap_or(0))
}

impl DnsCeremony {
    fn template(&self, cx: &Cx, sheet: &Sheet) -> Result<Option<Template>> {
        let Some(path) = self.template.as_ref().filter(|path| !path.is_empty()) else {
            let needs = [
                ("dest", self.dest.is_some()),
                ("statement", self.statement.is_some()),
                ("sign_with", self.sign_with.is_some()),
                ("statements", self.statements.0),
            ];
            return match needs.iter().find(|(_, given)| *given) {
                Some((name, _)) => Err(Failure::new(format!("`{name}` needs a `template`"))),
                None => Ok(None),
            };
        };
        let template = Template::read(&cx.system.read_text(Path::new(path))?)?;
        template.fits(sheet).map_err(|failure| failure.context(path))?;
        Ok(Some(template))
    }

    fn resolver(&self, cx: &Cx) -> Result<Resolver> {
        let mut servers = Vec::new();
        for text in &self.resolvers.0 {
            servers.push(parse_server(text).map_err(|failure| failure.context("`resolvers`"))?);
        }
        if servers.is_empty() {
            let text = cx.system.read_text_if_there(Path::new("/etc/resolv.conf"))?.unwrap_or_default();
            servers = in_resolv_conf(&text);
        }
        let anchors = self.trust_anchor.as_ref().filter(|path| !path.is_empty());
        let text = anchors.map(|path| cx.system.read_text(Path::new(path))).transpose()?;
        Resolver::new(&servers, text.as_deref(), seconds(self.query_timeout).max(Duration::from_secs(1))).map_err(
            |failure| match anchors {
                Some(path) if text.is_some() && !servers.is_empty() => failure.context(path),
                _ => failure,
            },
        )
    }

    /// Read before anybody waits for hours.
    fn key(&self, cx: &Cx) -> Result<Option<AccountKey>> {
        let Some(path) = &self.sign_with else {
            return match &self.statement {
                Some(_) => Err(Failure::new("`statement` needs `sign_with`, the key that signs it")),
                None => Ok(None),
            };
        };
        if self.organisation.is_none() {
            return Err(Failure::new("`sign_with` needs `organisation`: whose statement is it?"));
        }
        let text = zeroize::Zeroizing::new(cx.system.read_text(Path::new(path))?);
        let key = if text.trim_start().starts_with('{') {
            let file = self.password_file.as_ref();
            let file = file.ok_or_else(|| Failure::new(format!("{path} is a keystore: `password_file` is missing")))?;
            let password = zeroize::Zeroizing::new(cx.system.read_text(Path::new(file))?);
            keystore::decrypt(&text, &first_line(&password))
        } else {
            AccountKey::from_hex(&text)
        };
        key.map(Some).map_err(|failure| failure.context(path))
    }

    fn pace(&self, check: bool) -> Pace {
        let interval = seconds(self.interval).max(Duration::from_secs(1));
        let deadline = if check { Duration::ZERO } else { seconds(self.timeout) };
        Pace { interval, longest: seconds(self.max_interval).max(interval), deadline }
    }

    /// Our statement of the genesis.
    fn state(
        &self,
        cx: &mut Cx,
        id: &str,
        genesis: &Filled,
        key: Option<&AccountKey>,
        seen: &Seen,
        output: &mut Output,
    ) -> Result<()> {
        self.there(cx, genesis)?;
        output.genesis_hash = genesis.hash.map(|hash| hash.to_string());
        output.genesis_sha256 = Some(genesis.sha256.clone());
        let Some(key) = key else { return Ok(()) };
        let own = self.own(seen)?;
        let ours = Statement::sign(id, own, genesis, key)?;
        self.write_statement(cx, &ours)?;
        let (record, value) = (statement::name(&own.fqdn), ours.to_txt());
        if self.statements.0 {
            cx.line(&format!("to publish: {}", zone_line(&record, 60, "TXT", &quoted(value.as_bytes()))));
        }
        output.statement_txt = Some(json!({"record": record, "value": value}));
        output.statement = Some(ours);
        Ok(())
    }

    /// What is there of the genesis: nothing, or the same.
    fn there(&self, cx: &Cx, genesis: &Filled) -> Result<Option<String>> {
        let Some(dest) = &self.dest else { return Ok(None) };
        let there = cx.system.read_text_if_there(Path::new(dest))?;
        if there.as_ref().is_some_and(|there| *there != genesis.text) {
            return Err(Failure::new(format!("{dest} is there already, and is another genesis"))
                .help("compare it with `chainwright genesis diff`; move it away if no node has it"));
        }
        Ok(there)
    }

    fn write_genesis(&self, cx: &mut Cx, genesis: &Filled) -> Result<()> {
        let Some(dest) = &self.dest else { return Ok(()) };
        let there = self.there(cx, genesis)?;
        self.write(cx, dest, there, &genesis.text)
    }

    fn write_statement(&self, cx: &mut Cx, statement: &Statement) -> Result<()> {
        let Some(path) = &self.statement else { return Ok(()) };
        let text = serde_json::to_string_pretty(statement).map_err(|error| Failure::new(error.to_string()))? + "\n";
        let there = cx.system.read_text_if_there(Path::new(path))?;
        self.write(cx, path, there, &text)
    }

    fn write(&self, cx: &mut Cx, path: &str, there: Option<String>, text: &str) -> Result<()> {
        let wanted = traits_or_later(cx, self.owner.as_deref(), self.group.as_deref(), 0o644)?;
        let file = Path::new(path);
        if there.as_deref() == Some(text) {
            return keep(cx, file, wanted);
        }
        cx.change(Diff::text(path, there, Some(text.to_owned())), |writer| {
            writer.write(file, text.as_bytes(), wanted)
        })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::registry::tests::call_on;
    use crate::chain::ceremony::Template;
    use crate::system::System;
    use serde_json::{Value, json};

    const TEMPLATE: &str = r#"{"config": {"chainId": 1, "clique": {"period": 2, "epoch": 30000}}, "difficulty": "0x1", "gasLimit": "0x47b760", "extraData": ["fqdn://node.alpha.example"], "alloc": {}}"#;

    fn refused(change: Value) -> String {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("template"), TEMPLATE).unwrap();
        std::fs::write(root.path().join("key"), "1".repeat(64)).unwrap();
        std::fs::write(root.path().join("empty"), "").unwrap();
        let statement = r#"{"ceremony": "x", "fqdn": "node.beta.example", "genesis_sha256": "", "signature": ""}"#;
        std::fs::write(root.path().join("statement"), statement).unwrap();
        let sheet = json!({
            "ceremony": "test",
            "template_sha256": Template::read(TEMPLATE).unwrap().sha256(),
            "organisations": [{"name": "alpha", "fqdn": "node.alpha.example"}],
        });
        let mut args = json!({"sheet": sheet, "template": "/template", "resolvers": ["127.0.0.1:1"], "timeout": 0, "query_timeout": 1});
        for (name, value) in change.as_object().unwrap() {
            args[name] = value.clone();
        }
        call_on(&System::new(root.path()), "dns_ceremony", args, false).unwrap_err().to_string()
    }

    #[test]
    fn a_mistake_is_told_before_anybody_waits() {
        for (change, reason) in [
            (json!({"sheet": "x"}), "`sheet`: "),
            (json!({"sheet": {"ceremony": "x"}}), "missing field `template_sha256`"),
            (json!({"template": "/nothing"}), "/nothing"),
            (json!({"template": "/key"}), "the template"),
            (json!({"template": null, "dest": "/genesis.json"}), "`dest` needs a `template`"),
            (json!({"resolvers": ["dns.example"]}), "`resolvers`: `dns.example` is not the address"),
            (json!({"resolvers": []}), "no resolver is configured"),
            (json!({"trust_anchor": "/empty"}), "/empty: these are not trust anchors"),
            (json!({"organisation": "beta"}), "`beta` is not on the sheet (these are: alpha)"),
            (json!({"statement": "/statement"}), "`statement` needs `sign_with`"),
            (json!({"sign_with": "/key"}), "`sign_with` needs `organisation`"),
            (json!({"sign_with": "/empty", "organisation": "alpha"}), "/empty: this is not a private key"),
            (json!({"expect_address": "10.0.0.1"}), "`expect_txt` and `expect_address` need `organisation`"),
            (
                json!({"organisation": "alpha", "expect_address": "node"}),
                "`expect_address` is `node`, not an IP address",
            ),
            (json!({"organisation": "alpha", "expect_txt": "p=1"}), "`expect_txt`: "),
            (json!({"memory": "/template"}), "not the memory of a ceremony"),
            (json!({"received": ["/key"]}), "/key: this is not a statement"),
            (json!({"received": "/statement"}), "/statement: `node.beta.example` is nobody's on the sheet"),
        ] {
            let failure = refused(change.clone());
            assert!(failure.contains(reason), "{change}: {failure}");
        }
        let failure = refused(json!({}));
        assert!(
            failure.starts_with("the ceremony is not complete after 0 s: alpha (node.alpha.example): unanswered: "),
            "{failure}"
        );
    }
}
