//! How a password becomes the key of a keystore file: scrypt or PBKDF2, and how much work that is.

use super::{missing, unhex};
use crate::base::{Failure, Map, Secret, Value, failure::Result};
use alloy_primitives::hex;
use ring::pbkdf2;
use serde_json::json;
use std::{fmt, num::NonZeroU32};
use zeroize::Zeroizing;

/// The function and its cost: how much work it is to try one password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kdf {
    /// Costs memory (128 x `r` x 2^`log_n` bytes) and time (that, `p` times).
    Scrypt {
        /// Binary logarithm of the definition's `n`.
        log_n: u8,
        /// Block size.
        r: u32,
        /// Passes.
        p: u32,
    },
    /// Costs only time: HMAC-SHA-256, so many rounds.
    Pbkdf2 {
        /// The definition's `c`.
        rounds: u32,
    },
}

/// What `geth account new` takes: 256 MB of memory and about a second.
pub const STANDARD: Kdf = Kdf::Scrypt { log_n: 18, r: 8, p: 1 };
/// What `geth --lightkdf` takes: 4 MB. For tests.
pub const LIGHT: Kdf = Kdf::Scrypt { log_n: 12, r: 8, p: 6 };
/// What the definition's own example takes.
pub const PBKDF2: Kdf = Kdf::Pbkdf2 { rounds: 262_144 };

/// Of scrypt's `n` x `r`: 2 GB, eight times geth's own memory. A file that asks for more is made to exhaust the host.
const MOST_MEMORY: u64 = 1 << 24;
/// Of scrypt's `n` x `r` x `p`: 32 times geth's own work.
const MOST_WORK: u64 = 1 << 26;
const MOST_ROUNDS: u64 = 10_000_000;

/// What a file says of its key: the function, its salt, and how many bytes it makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::chain) struct Derivation {
    pub kdf: Kdf,
    pub salt: Vec<u8>,
    pub length: usize,
}

impl Derivation {
    /// Reads `kdf` and `kdfparams`; refuses a cost that no honest file has.
    pub fn read(crypto: &Map) -> Result<Self> {
        let name = crypto.get("kdf").and_then(Value::as_str).unwrap_or_default();
        let params = crypto.get("kdfparams").and_then(Value::as_object).ok_or_else(|| missing("kdfparams"))?;
        let number = |name: &str| params.get(name).and_then(Value::as_u64).ok_or_else(|| missing(name));
        let kdf = match name {
            "scrypt" => scrypt_of(number("n")?, number("r")?, number("p")?)?,
            "pbkdf2" => pbkdf2_of(number("c")?, params.get("prf").and_then(Value::as_str))?,
            other => {
                return Err(Failure::new(format!(
                    "this keystore file derives its key with `{other}`; known are scrypt and pbkdf2"
                )));
            }
        };
        let length = usize::try_from(number("dklen")?).unwrap_or(usize::MAX);
        if !(32..=64).contains(&length) {
            return Err(Failure::new(format!("this keystore file has a `dklen` of {length}; usual is 32")));
        }
        Ok(Self { kdf, salt: unhex(params.get("salt"), "salt")?, length })
    }

    /// The `kdfparams` of a file.
    pub fn params(&self) -> Value {
        let (salt, length) = (hex::encode(&self.salt), self.length);
        match self.kdf {
            Kdf::Scrypt { log_n, r, p } => json!({"dklen": length, "n": 1_u64 << log_n, "p": p, "r": r, "salt": salt}),
            Kdf::Pbkdf2 { rounds } => json!({"c": rounds, "dklen": length, "prf": "hmac-sha256", "salt": salt}),
        }
    }

    /// Does the work.
    pub fn derive(&self, password: &Secret) -> Result<Zeroizing<Vec<u8>>> {
        let (password, mut derived) = (password.expose().as_bytes(), Zeroizing::new(vec![0; self.length]));
        match self.kdf {
            Kdf::Scrypt { log_n, r, p } => {
                let params =
                    scrypt::Params::new(log_n, r, p).map_err(|error| Failure::new(format!("scrypt: {error}")))?;
                scrypt::scrypt(password, &self.salt, &params, &mut derived)
                    .map_err(|error| Failure::new(format!("scrypt: {error}")))?;
            }
            Kdf::Pbkdf2 { rounds } => {
                // Zero is refused where a file is read, and no constant is zero.
                let rounds = NonZeroU32::new(rounds).unwrap_or(NonZeroU32::MIN);
                pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, &self.salt, password, &mut derived);
            }
        }
        Ok(derived)
    }
}

fn scrypt_of(n: u64, r: u64, p: u64) -> Result<Kdf> {
    let refused = |why: &str| {
        Err(Failure::new(format!("this keystore file asks for scrypt with n={n}, r={r}, p={p}: {why}"))
            .help("geth writes n=262144, r=8, p=1; take the file from a backup"))
    };
    if n < 2 || !n.is_power_of_two() {
        return refused("n is not a power of two");
    }
    if r == 0 || p == 0 {
        return refused("r and p are at least 1");
    }
    let memory = n.saturating_mul(r);
    if memory > MOST_MEMORY {
        return refused("that would take more than 2 GB of memory");
    }
    if memory.saturating_mul(p) > MOST_WORK {
        return refused("that would take minutes");
    }
    // Below the limits both fit.
    match (u32::try_from(r), u32::try_from(p), u8::try_from(n.trailing_zeros())) {
        (Ok(r), Ok(p), Ok(log_n)) => Ok(Kdf::Scrypt { log_n, r, p }),
        _ => refused("these are no parameters"),
    }
}

fn pbkdf2_of(rounds: u64, prf: Option<&str>) -> Result<Kdf> {
    if let Some(prf) = prf.filter(|prf| *prf != "hmac-sha256") {
        return Err(Failure::new(format!("this keystore file uses pbkdf2 with `{prf}`; known is `hmac-sha256`")));
    }
    match u32::try_from(rounds) {
        Ok(count) if (1..=MOST_ROUNDS).contains(&rounds) => Ok(Kdf::Pbkdf2 { rounds: count }),
        _ => Err(Failure::new(format!(
            "this keystore file asks for {rounds} rounds of pbkdf2; 1 to {MOST_ROUNDS} are accepted"
        ))
        .help("usual are 262144; take the file from a backup")),
    }
}

impl fmt::Display for Kdf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scrypt { log_n, r, p } => write!(f, "scrypt, n={}, r={r}, p={p}", 1_u64 << log_n),
            Self::Pbkdf2 { rounds } => write!(f, "pbkdf2, hmac-sha256, c={rounds}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kdf: &str, params: Value) -> Result<Derivation> {
        let crypto = json!({"kdf": kdf, "kdfparams": params});
        Derivation::read(crypto.as_object().unwrap())
    }

    #[test]
    fn what_is_written_is_read_back() {
        for kdf in [STANDARD, LIGHT, PBKDF2] {
            let derivation = Derivation { kdf, salt: vec![7; 32], length: 32 };
            let name = if matches!(kdf, Kdf::Pbkdf2 { .. }) { "pbkdf2" } else { "scrypt" };
            assert_eq!(read(name, derivation.params()).unwrap(), derivation);
        }
    }

    #[test]
    fn a_cost_that_would_exhaust_the_host_is_refused_before_any_work() {
        for (params, reason) in [
            (json!({"dklen": 32, "n": 1_u64 << 40, "p": 1, "r": 8, "salt": "ab"}), "n=1099511627776"),
            (json!({"dklen": 32, "n": 1_u64 << 22, "p": 1, "r": 8, "salt": "ab"}), "2 GB"),
            (json!({"dklen": 32, "n": 262_144, "p": 1_000_000, "r": 8, "salt": "ab"}), "minutes"),
            (json!({"dklen": 32, "n": 262_143, "p": 1, "r": 8, "salt": "ab"}), "power of two"),
            (json!({"dklen": 32, "n": 1, "p": 1, "r": 8, "salt": "ab"}), "power of two"),
            (json!({"dklen": 32, "n": 0, "p": 1, "r": 8, "salt": "ab"}), "power of two"),
            (json!({"dklen": 32, "n": 4096, "p": 0, "r": 8, "salt": "ab"}), "at least 1"),
            (json!({"dklen": 1 << 30, "n": 4096, "p": 1, "r": 8, "salt": "ab"}), "dklen"),
            (json!({"dklen": 32, "n": 4096, "p": 1, "salt": "ab"}), "`r`"),
            (json!({"dklen": 32, "n": 4096, "p": 1, "r": 8, "salt": "xy"}), "`salt`"),
        ] {
            let message = read("scrypt", params).unwrap_err().message;
            assert!(message.contains(reason), "{message}");
        }
        for (params, reason) in [
            (json!({"dklen": 32, "c": 4_000_000_000_u64, "prf": "hmac-sha256", "salt": "ab"}), "4000000000 rounds"),
            (json!({"dklen": 32, "c": 0, "salt": "ab"}), "0 rounds"),
            (json!({"dklen": 32, "c": 1, "prf": "hmac-md5", "salt": "ab"}), "hmac-md5"),
        ] {
            let message = read("pbkdf2", params).unwrap_err().message;
            assert!(message.contains(reason), "{message}");
        }
        assert!(read("argon2", json!({})).unwrap_err().message.contains("argon2"));
    }
}
