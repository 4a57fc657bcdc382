//! A party's statement of the genesis that it made, signed with its account's key, so that the others can compare.
//!
//! What is signed is a text of a few lines (EIP-191, so a wallet can sign it too); its first line says what it is. It travels
//! as JSON, or as a TXT record of `_ceremony.NAME`: `g=SHA-256; s=SIGNATURE`, from which, with the sheet, the rest follows.

use super::party::{Doubt, Party};
use super::template::Filled;
use super::txt;
use crate::base::{Failure, failure::Result};
use crate::chain::{AccountKey, Address, Signature};
use serde::{Deserialize, Serialize};

/// Where the statement of a party stands in DNS.
pub fn name(fqdn: &str) -> String {
    format!("_ceremony.{fqdn}")
}

/// A signed statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// The ceremony's id.
    pub ceremony: String,
    /// Who states it: a name in DNS.
    pub fqdn: String,
    /// SHA-256 of genesis.json, 64 digits.
    pub genesis_sha256: String,
    /// 0x and 130 digits.
    pub signature: String,
}

/// The text that is signed.
fn text(ceremony: &str, fqdn: &str, genesis_sha256: &str) -> String {
    format!("chainwright ceremony 1\nceremony: {ceremony}\nname: {fqdn}\ngenesis sha256: {genesis_sha256}\n")
}

impl Statement {
    /// States it with the account's key. The key must be that of the party's account: nobody would believe another.
    pub fn sign(ceremony: &str, party: &Party, genesis: &Filled, key: &AccountKey) -> Result<Self> {
        if key.address() != party.account {
            return Err(Failure::new(format!(
                "the key is that of {}, but DNS says that the account of {} is {}",
                key.address(),
                party.name,
                party.account
            ))
            .help("sign with the key of the account that was published"));
        }
        let signature = Signature::of_text(key, &text(ceremony, &party.fqdn, &genesis.sha256))?;
        Ok(Self {
            ceremony: ceremony.to_owned(),
            fqdn: party.fqdn.clone(),
            genesis_sha256: genesis.sha256.clone(),
            signature: signature.to_string(),
        })
    }

    /// Checks another party's statement: that it is of this ceremony, signed by that party's account, and of the same
    /// genesis as ours.
    pub fn check(&self, ceremony: &str, party: &Party, ours: &str) -> Result<(), Doubt> {
        self.check_as(ceremony, &party.fqdn, party.account, ours)
    }

    /// The same of a party of which only the name in DNS and the account are known.
    pub fn check_as(&self, ceremony: &str, fqdn: &str, account: Address, ours: &str) -> Result<(), Doubt> {
        if self.ceremony != ceremony {
            return Err(Doubt::new("foreign", format!("its statement is of another ceremony ({})", self.ceremony)));
        }
        if self.fqdn != fqdn {
            return Err(Doubt::new("foreign", format!("this is the statement of {}, not of {fqdn}", self.fqdn)));
        }
        let malformed = |failure: Failure| Doubt::new("malformed", format!("its statement: {}", failure.message));
        let signature: Signature = self.signature.parse().map_err(malformed)?;
        let signer =
            signature.signer_of_text(&text(&self.ceremony, &self.fqdn, &self.genesis_sha256)).map_err(malformed)?;
        if signer != account {
            return Err(Doubt::new(
                "forged",
                format!("its statement is not signed by its account {account}, but by {signer}"),
            )
            .help("a statement that was changed after it was signed seems to be signed by a stranger"));
        }
        if self.genesis_sha256 != ours {
            return Err(Doubt::new(
                "different",
                format!("it has made another genesis: its SHA-256 is {}, ours is {ours}", self.genesis_sha256),
            )
            .help("compare both files with `chainwright genesis diff`: one of you was shown other records"));
        }
        Ok(())
    }

    /// Reads it from JSON.
    pub fn read(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|error| {
            Failure::new(format!("this is not a statement: {error}"))
                .help("a statement is the file with `ceremony`, `fqdn`, `genesis_sha256` and `signature`")
        })
    }

    /// The TXT record.
    pub fn to_txt(&self) -> String {
        format!("g={}; s={}", self.genesis_sha256, self.signature)
    }

    /// Reads the TXT record of a party.
    pub fn from_txt(ceremony: &str, fqdn: &str, records: &[Vec<Vec<u8>>]) -> Result<Self> {
        let [strings] = records else {
            return Err(Failure::new(format!("{} has {} TXT records, not one", name(fqdn), records.len())));
        };
        let mut statement = Self {
            ceremony: ceremony.to_owned(),
            fqdn: fqdn.to_owned(),
            genesis_sha256: String::new(),
            signature: String::new(),
        };
        for (name, value) in txt::parts(&txt::join(strings)) {
            match name.as_str() {
                "g" => statement.genesis_sha256 = value.to_ascii_lowercase(),
                "s" => value.clone_into(&mut statement.signature),
                _ => {}
            }
        }
        if statement.genesis_sha256.is_empty() || statement.signature.is_empty() {
            return Err(Failure::new(format!("the TXT record of {} is not a statement", name(fqdn)))
                .help("the form is `g=SHA-256; s=SIGNATURE`"));
        }
        Ok(statement)
    }
}

#[cfg(test)]
mod tests {
    use super::super::sheet::tests::sheet;
    use super::super::template::{Template, tests as templates};
    use super::*;

    #[test]
    fn a_statement_convinces_only_of_what_its_signer_signed() {
        let sheet = sheet(&["alpha", "beta"]);
        let parties = templates::parties(&sheet);
        let genesis = Template::read(templates::CLIQUE).unwrap().fill(&parties).unwrap();
        let key = AccountKey::from_hex(&format!("{:064x}", 1)).unwrap();
        let (id, ours) = (sheet.id(), genesis.sha256.as_str());

        let statement = Statement::sign(&id, &parties[0], &genesis, &key).unwrap();
        statement.check(&id, &parties[0], ours).unwrap();
        let record = vec![vec![statement.to_txt().into_bytes()]];
        assert!(statement.to_txt().len() < 255);
        assert_eq!(Statement::from_txt(&id, &parties[0].fqdn, &record).unwrap(), statement);

        let why = |statement: &Statement, party: &Party, ours: &str| statement.check(&id, party, ours).unwrap_err().why;
        assert!(why(&statement, &parties[1], ours).contains("not of node.beta.example"));
        assert!(why(&statement, &parties[0], &"0".repeat(64)).contains("it has made another genesis"));
        assert!(statement.check("0011223344556677", &parties[0], ours).is_err());
        let forged = Statement { genesis_sha256: "0".repeat(64), ..statement.clone() };
        assert!(why(&forged, &parties[0], &"0".repeat(64)).contains("not signed by its account"));
        let failure = Statement::sign(&id, &parties[1], &genesis, &key).unwrap_err();
        assert!(failure.message.contains("the account of beta is 0x2B5A"), "{failure}");
        assert!(Statement::from_txt(&id, "a.b", &[]).is_err());
        assert!(Statement::from_txt(&id, "a.b", &[vec![b"g=12".to_vec()]]).is_err());
    }
}
