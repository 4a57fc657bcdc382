//! Keys for signing updates (TSIG, RFC 8945), in the files that name servers' own tools write.

use crate::base::{Failure, failure::Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hickory_net::proto::rr::rdata::tsig::TsigAlgorithm;
use hickory_net::proto::rr::{Name, TSigner};
use std::fmt;
use zeroize::Zeroizing;

/// A key. `Debug` does not show it.
#[derive(Clone)]
pub struct Key {
    /// Its name, as the server knows it.
    pub name: String,
    pub(super) signer: TSigner,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.name)
    }
}

impl Key {
    /// Reads a key file: BIND's (`tsig-keygen`: `key "NAME" { algorithm A; secret "S"; };`), Knot's (`keymgr -t`: YAML
    /// with `id`, `algorithm`, `secret`), one line `A:NAME:SECRET` (`kdig -y`), or the secret alone, with a name given.
    /// `name` and `algorithm` stand in for what the file does not say. The failure never repeats the file.
    pub fn read(text: &str, name: Option<&str>, algorithm: Option<&str>) -> Result<Self> {
        let parts = Parts::of(text);
        let help = "a file of tsig-keygen or `keymgr -t`, or one line `hmac-sha256:NAME:SECRET`";
        let Some(secret) = parts.secret else {
            return Err(Failure::new("this is not a TSIG key: it has no secret").help(help));
        };
        let secret = STANDARD
            .decode(secret.as_bytes())
            .map(Zeroizing::new)
            .map_err(|_| Failure::new("this is not a TSIG key: its secret is not base64").help(help))?;
        if secret.is_empty() {
            return Err(Failure::new("this TSIG key's secret is empty"));
        }
        let Some(name) = name.map(str::to_owned).or(parts.name) else {
            return Err(
                Failure::new("this TSIG key has no name").help("say it with `key_name`: the server knows keys by name")
            );
        };
        let algorithm = algorithm.map(str::to_owned).or(parts.algorithm).unwrap_or_else(|| "hmac-sha256".into());
        let known = match algorithm.trim_end_matches('.').to_ascii_lowercase().as_str() {
            "hmac-sha256" => TsigAlgorithm::HmacSha256,
            "hmac-sha384" => TsigAlgorithm::HmacSha384,
            "hmac-sha512" => TsigAlgorithm::HmacSha512,
            _ => {
                return Err(Failure::new(format!("the algorithm `{algorithm}` of a TSIG key is not supported"))
                    .help("use hmac-sha256, hmac-sha384 or hmac-sha512"));
            }
        };
        let wrong = || Failure::new(format!("`{name}` is not the name of a TSIG key"));
        let parsed = Name::from_ascii(&name).map_err(|_| wrong())?;
        // Five minutes is what the RFC recommends for clocks that differ.
        let signer = TSigner::new(secret.to_vec(), known, parsed, 300).map_err(|_| wrong())?;
        Ok(Self { name: name.trim_end_matches('.').to_owned(), signer })
    }
}

#[derive(Default)]
struct Parts {
    name: Option<String>,
    algorithm: Option<String>,
    secret: Option<Zeroizing<String>>,
}

impl Parts {
    fn of(text: &str) -> Self {
        let lines = text.lines().map(|line| line.split("//").next().unwrap_or(line)).map(str::trim);
        let plain: Vec<&str> = lines.filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
        if let [line] = plain.as_slice()
            && !line.contains(['{', ' '])
        {
            let parts: Vec<&str> = line.split(':').collect();
            return match parts.as_slice() {
                [algorithm, name, secret] => Self {
                    name: Some((*name).to_owned()),
                    algorithm: Some((*algorithm).to_owned()),
                    secret: Some(Zeroizing::new((*secret).to_owned())),
                },
                _ => Self { secret: Some(Zeroizing::new((*line).to_owned())), ..Self::default() },
            };
        }
        // BIND's words and Knot's are a word and its value; only the marks around them differ.
        let text = Zeroizing::new(plain.join(" "));
        let mut words = text.split(|c: char| c.is_whitespace() || "{};\",".contains(c)).filter(|word| !word.is_empty());
        let mut parts = Self::default();
        while let Some(word) = words.next() {
            match word {
                "key" | "id:" => parts.name = words.next().map(str::to_owned),
                "algorithm" | "algorithm:" => parts.algorithm = words.next().map(str::to_owned),
                "secret" | "secret:" => parts.secret = words.next().map(|word| Zeroizing::new(word.to_owned())),
                _ => {}
            }
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "2TcE2AOsMqlWsWm3MNWVRXjyRSWtBPOXNgCdqh1oCrw=";

    #[test]
    fn the_files_of_bind_and_knot_are_read() {
        for (text, algorithm) in [
            (
                format!("key \"alpha.\" {{\n\talgorithm hmac-sha512;\n\tsecret \"{SECRET}\";\n}};\n"),
                TsigAlgorithm::HmacSha512,
            ),
            (
                format!(
                    "# hmac-sha256:alpha:{SECRET}\nkey:\n  - id: alpha\n    algorithm: hmac-sha256\n    secret: {SECRET}\n"
                ),
                TsigAlgorithm::HmacSha256,
            ),
            (format!("hmac-sha384:alpha:{SECRET}\n"), TsigAlgorithm::HmacSha384),
        ] {
            let key = Key::read(&text, None, None).unwrap();
            assert_eq!(key.name, "alpha");
            assert_eq!(*key.signer.algorithm(), algorithm);
            assert_eq!(STANDARD.encode(key.signer.key()), SECRET);
            assert!(!format!("{key:?}").contains(SECRET));
        }
        let key = Key::read(&format!("{SECRET}\n"), Some("beta"), Some("hmac-sha512.")).unwrap();
        assert!(key.name == "beta" && *key.signer.algorithm() == TsigAlgorithm::HmacSha512);
    }

    #[test]
    fn what_is_no_key_is_refused_without_repeating_it() {
        for (text, reason) in [
            ("", "no secret"),
            ("key \"a\" { algorithm hmac-sha256; };", "no secret"),
            ("hmac-sha256:alpha:n0t!base64", "not base64"),
            (SECRET, "no name"),
            (&format!("hmac-md5:alpha:{SECRET}"), "`hmac-md5`"),
            (&format!("hmac-sha256:a..b:{SECRET}"), "not the name"),
        ] {
            let failure = Key::read(text, None, None).unwrap_err().to_string();
            assert!(failure.contains(reason), "{failure}");
            assert!(!failure.contains("2TcE") && !failure.contains("n0t!"), "{failure}");
        }
    }
}
