//! The shared secrets that nodes log in with.

use crate::base::Secret;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The secrets that are accepted: several, so that one can be changed without a flag day.
#[derive(Debug)]
pub struct Secrets(Vec<Secret>);

impl Secrets {
    /// Reads `one|two` (or one a line); `None` if there is none.
    pub fn parse(text: &str) -> Option<Self> {
        let secrets: Vec<_> = text
            .split(['|', '\n'])
            .map(str::trim)
            .filter(|secret| !secret.is_empty())
            .map(|secret| Secret::new(secret.to_owned()))
            .collect();
        if secrets.is_empty() { None } else { Some(Self(secrets)) }
    }

    /// Which secret `given` is, if any. Takes as long for a wrong one as for a right one: hashes are compared, whole.
    pub fn find(&self, given: &str) -> Option<usize> {
        let given = Sha256::digest(given.as_bytes());
        let mut found = None;
        for (number, secret) in self.0.iter().enumerate() {
            if bool::from(Sha256::digest(secret.expose().as_bytes()).as_slice().ct_eq(given.as_slice())) {
                found = Some(number);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_of_the_secrets_opens_and_nothing_else_does() {
        let secrets = Secrets::parse("old | new\n").unwrap();
        assert_eq!((secrets.find("old"), secrets.find("new")), (Some(0), Some(1)));
        assert_eq!((secrets.find(""), secrets.find("old | new"), secrets.find("ol")), (None, None, None));
        assert!(Secrets::parse(" | \n").is_none());
    }
}
