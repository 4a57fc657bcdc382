//! The sheet of a ceremony: who takes part, under which name in DNS, and in which genesis.

use crate::base::{Failure, Value, failure::Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// The same for all parties; the operator sends it out together with the template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sheet {
    /// What the ceremony is called.
    pub ceremony: String,
    /// The SHA-256 of the template's file, 64 digits.
    pub template_sha256: String,
    /// Who takes part.
    pub organisations: Vec<Organisation>,
    /// Who joined when the ceremony was over. The genesis has nothing of theirs, so they are no part of the id, and a
    /// sheet with more of them is still a sheet of the same ceremony.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joined: Vec<Organisation>,
    /// Whether each record must name this ceremony (`c=`), which shows that it was published for this sheet and this
    /// template, and is none from before. Without it, records of Autonity's original form count too.
    #[serde(default = "yes")]
    pub require_id: bool,
}

fn yes() -> bool {
    true
}

/// One party.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Organisation {
    /// What it is called.
    pub name: String,
    /// The name in DNS that has its A or AAAA record, and its TXT record.
    pub fqdn: String,
}

impl Sheet {
    /// Reads it from a table, or from a text of JSON.
    pub fn from_value(value: &Value) -> Result<Self> {
        let read = match value {
            Value::String(text) => serde_json::from_str(text),
            table => serde_json::from_value(table.clone()),
        };
        let sheet: Self = read.map_err(|error| {
            Failure::new(format!("`sheet`: {error}")).help("it has `ceremony`, `template_sha256` and `organisations`")
        })?;
        sheet.checked().map_err(|failure| failure.context("`sheet`"))
    }

    /// All of them: those that took part, and those that joined later.
    pub fn everybody(&self) -> impl Iterator<Item = &Organisation> {
        self.organisations.iter().chain(&self.joined)
    }

    /// The organisation of this name, whether it took part or joined later.
    pub fn by_name(&self, name: &str) -> Result<&Organisation> {
        self.everybody().find(|organisation| organisation.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.everybody().map(|organisation| organisation.name.as_str()).collect();
            Failure::new(format!("`{name}` is not on the sheet")).help(format!("these are: {}", names.join(", ")))
        })
    }

    /// The organisation with this name in DNS.
    pub fn by_fqdn(&self, fqdn: &str) -> Result<&Organisation> {
        self.everybody().find(|organisation| organisation.fqdn == fqdn).ok_or_else(|| {
            let names: Vec<&str> = self.everybody().map(|organisation| organisation.fqdn.as_str()).collect();
            Failure::new(format!("`{fqdn}` is nobody's on the sheet")).help(format!("these are: {}", names.join(", ")))
        })
    }

    /// Checks a sheet that was read, and gives its names the one form in which they are compared.
    pub fn checked(mut self) -> Result<Self> {
        if self.ceremony.is_empty() || self.ceremony.len() > 100 || self.ceremony.chars().any(char::is_control) {
            return Err(Failure::new("the ceremony has no usable name")
                .help("give `ceremony` a name of one line, at most 100 letters long"));
        }
        self.template_sha256.make_ascii_lowercase();
        if self.template_sha256.len() != 64 || !self.template_sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Failure::new(format!("`template_sha256` is `{}`, not a SHA-256", self.template_sha256))
                .help("it is what `sha256sum` prints for the template: 64 hexadecimal digits"));
        }
        if self.organisations.is_empty() {
            return Err(Failure::new("nobody takes part: `organisations` is empty"));
        }
        let (mut names, mut fqdns) = (BTreeSet::new(), BTreeSet::new());
        for organisation in self.organisations.iter_mut().chain(&mut self.joined) {
            organisation.fqdn = parse_fqdn(&organisation.fqdn)?;
            let Organisation { name, fqdn } = organisation;
            if name.trim().is_empty() || name.chars().any(char::is_control) {
                return Err(Failure::new(format!("the organisation of `{fqdn}` has no name")));
            }
            if !names.insert(name.clone()) {
                return Err(Failure::new(format!("two organisations are called `{name}`")));
            }
            if !fqdns.insert(fqdn.clone()) {
                return Err(Failure::new(format!("`{fqdn}` stands in the sheet twice"))
                    .help("every organisation needs a name in DNS of its own"));
            }
        }
        Ok(self)
    }

    /// 16 digits that stand for this sheet and this template: a party that was sent another template or another list of
    /// parties gets another id, so that its record gives that away. They are the beginning of a SHA-256 over the ceremony's
    /// name, the template's hash and the parties in ascending order.
    pub fn id(&self) -> String {
        let mut parties: Vec<String> =
            self.organisations.iter().map(|party| format!("{} {}\n", party.fqdn, party.name)).collect();
        parties.sort_unstable();
        let text = format!(
            "chainwright sheet 1\n{}\n{}\n{}",
            self.ceremony,
            self.template_sha256.to_ascii_lowercase(),
            parties.concat()
        );
        alloy_primitives::hex::encode(&Sha256::digest(text)[..8])
    }
}

/// A full name in DNS, in lower case and without the dot at its end: at least two labels of letters, digits, `-` and `_`.
pub fn parse_fqdn(text: &str) -> Result<String> {
    let name = text.trim().strip_suffix('.').unwrap_or(text.trim()).to_ascii_lowercase();
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let numeric = name.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
    if name.len() <= 253 && name.contains('.') && name.split('.').all(label) && !numeric {
        return Ok(name);
    }
    Err(Failure::new(format!("`{}` is not a full name in DNS", text.escape_default()))
        .help("write it as node.alpha.example; letters beyond ASCII as xn--.."))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A sheet of organisations alpha, beta, ...
    pub fn sheet(names: &[&str]) -> Sheet {
        let organisations = names
            .iter()
            .map(|name| Organisation { name: (*name).into(), fqdn: format!("node.{name}.example") })
            .collect();
        Sheet {
            ceremony: "test".into(),
            template_sha256: "0".repeat(64),
            organisations,
            joined: vec![],
            require_id: true,
        }
    }

    #[test]
    fn the_id_stands_for_parties_and_template_in_any_order() {
        let one = sheet(&["alpha", "beta"]);
        assert_eq!(one.id().len(), 16);
        assert_eq!(one.id(), sheet(&["beta", "alpha"]).id());
        assert_ne!(one.id(), sheet(&["alpha", "gamma"]).id());
        assert_ne!(one.id(), Sheet { template_sha256: "1".repeat(64), ..one.clone() }.id());
        assert_ne!(one.id(), Sheet { ceremony: "again".into(), ..one.clone() }.id());
    }

    #[test]
    fn who_joins_later_is_on_the_sheet_but_does_not_change_the_ceremony() {
        let before = sheet(&["alpha", "beta"]);
        let after = Sheet { joined: sheet(&["gamma"]).organisations, ..before.clone() }.checked().unwrap();
        assert_eq!(after.id(), before.id());
        assert_eq!(after.by_name("gamma").unwrap().fqdn, "node.gamma.example");
        let failure = after.by_name("delta").unwrap_err();
        assert_eq!(failure.help.as_deref(), Some("these are: alpha, beta, gamma"));
        assert!(!serde_json::to_string(&before).unwrap().contains("joined"));
        let twice = Sheet { joined: sheet(&["alpha"]).organisations, ..before }.checked().unwrap_err();
        assert!(twice.message.contains("two organisations are called `alpha`"), "{twice}");
    }

    #[test]
    fn a_sheet_with_a_mistake_is_refused_by_name() {
        let wrong = |change: fn(&mut Sheet)| {
            let mut sheet = sheet(&["alpha", "beta"]);
            change(&mut sheet);
            sheet.checked().unwrap_err().message
        };
        assert!(wrong(|sheet| sheet.ceremony.clear()).contains("no usable name"));
        assert!(wrong(|sheet| sheet.template_sha256 = "12".into()).contains("not a SHA-256"));
        assert!(wrong(|sheet| sheet.organisations.clear()).contains("nobody"));
        assert!(wrong(|sheet| sheet.organisations[1].name = "alpha".into()).contains("called `alpha`"));
        assert!(wrong(|sheet| sheet.organisations[1].fqdn = "NODE.alpha.example.".into()).contains("twice"));
        for fqdn in ["", "localhost", "a..b", "1.2.3.4", "a b.c", "-a.b", "ä.b", &"a.".repeat(130)] {
            assert!(parse_fqdn(fqdn).is_err(), "{fqdn}");
        }
        assert_eq!(parse_fqdn(" Node_1.Alpha.EXAMPLE. ").unwrap(), "node_1.alpha.example");
        let read: Result<Sheet, _> = serde_json::from_str(r#"{"ceremony": "x", "organisation": []}"#);
        assert!(read.is_err());
    }
}
