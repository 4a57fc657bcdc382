//! The Obol API: the clusters that an operator takes part in, and agreeing to one.
//!
//! Source: the API's `OpenAPI` document (`GET /v1/definition/operator/{address}` and the others named below). Its answers are not
//! trusted: what counts is what [`Definition::verify`](super::Definition::verify) says of them.

use super::eip712::{Message, TERMS_HASH, TERMS_VERSION};
use super::{Definition, Lock, network};
use crate::base::{Failure, Value, failure::Result};
use crate::chain::{AccountKey, Address, B256, parse_address};
use crate::system::System;
use crate::system::http::Request;
use alloy_primitives::hex;
use serde_json::json;
use std::collections::BTreeSet;
use std::io::Read;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Where the API is, unless somebody says otherwise.
pub const ENDPOINT: &str = "https://api.obol.tech";
/// No answer is longer: a page of a hundred definitions of a thousand validators has less.
const LARGEST: u64 = 16 << 20;
/// All pages of a list together are no longer.
const LARGEST_LIST: u64 = 64 << 20;
/// More pages than this are a server that never ends.
const MOST_PAGES: u64 = 1000;
const OPERATOR: &str = "/v1/definition/operator/";

/// The API, as seen from a host.
#[derive(Debug)]
pub struct Api<'a> {
    system: &'a System,
    base: String,
    /// How many definitions a page has.
    pub limit: u64,
    /// How long one answer may take in all.
    pub patience: Duration,
    /// When a list must be at its end; `None`: whenever it is.
    pub until: Option<Instant>,
    /// How many bytes all pages of a list may have together.
    largest_list: u64,
}

/// Why there was no answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Trouble {
    /// What happened.
    pub failure: Failure,
    /// Whether it may be better later. Not so: the request itself is refused.
    pub passing: bool,
    /// How long the server wants to be left alone.
    pub after: Option<Duration>,
}

impl Trouble {
    /// It stays as it is, however often one asks.
    pub fn lasting(failure: Failure) -> Self {
        Self { failure, passing: false, after: None }
    }

    /// It may be better later.
    pub fn passing(why: impl Into<String>) -> Self {
        Self { failure: Failure::new(why), passing: true, after: None }
    }
}

impl From<Failure> for Trouble {
    /// No answer at all, as a rule: a name that is not found, a closed port, no answer in time.
    fn from(failure: Failure) -> Self {
        Self { failure, passing: true, after: None }
    }
}

type Answer<T> = Result<T, Trouble>;

impl<'a> Api<'a> {
    /// The API at a URL, which may go on to the list of an operator as the sidecar's setting does.
    pub fn new(system: &'a System, url: &str) -> Self {
        let base = url.split(OPERATOR).next().unwrap_or(url).trim_end_matches('/');
        let base = base.strip_suffix("/v1").unwrap_or(base);
        Self {
            system,
            base: base.to_owned(),
            limit: 100,
            patience: Duration::from_secs(30),
            until: None,
            largest_list: LARGEST_LIST,
        }
    }

    /// All definitions that name this account as an operator, each once, of all pages.
    ///
    /// Nobody says whether the first page is 0 or 1: both are asked for. It ends with the last page of `total_pages`, where
    /// `has_next_page` says no, or, where the answer says neither, with a page that brings nothing new.
    pub fn definitions(&self, operator: Address) -> Answer<Vec<Value>> {
        let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
        let mut left = self.largest_list;
        let (mut total, mut stumbled) = (None, None);
        for page in 0..=MOST_PAGES {
            if self.until.is_some_and(|until| Instant::now() >= until) {
                return Err(Trouble::passing(format!(
                    "{}: the list of clusters does not come to an end in time",
                    self.base
                )));
            }
            let path = format!("{OPERATOR}{operator}?page={page}&limit={}", self.limit);
            let (answer, size) = match self.get_within(&path, left.min(LARGEST)) {
                // Pages that count from 1 have no page 0, over which a server may stumble; those from 0 have none after the last.
                Err(trouble) if page == 0 => {
                    stumbled = Some(trouble);
                    continue;
                }
                Ok((None, _)) if page == 0 => continue,
                Err(trouble) if !trouble.passing && total.is_some_and(|total| page >= total) => return Ok(found),
                Err(trouble) => return Err(stumbled.filter(|_| page == 1).unwrap_or(trouble)),
                Ok(answer) => answer,
            };
            left = left.saturating_sub(size);
            let Some(answer) = answer else { return Ok(found) };
            let Some(list) = answer.get("cluster_definitions").and_then(Value::as_array) else {
                return Err(Trouble::passing(format!("{}: the answer has no `cluster_definitions`", self.base)));
            };
            let mut new = false;
            for definition in list {
                let hash = definition.get("config_hash").and_then(Value::as_str).unwrap_or_default().to_lowercase();
                if names(definition, operator) && seen.insert(hash) {
                    found.push(definition.clone());
                    new = true;
                }
            }
            total = answer.get("total_pages").and_then(Value::as_u64);
            let more = match (total, answer.get("has_next_page").and_then(Value::as_bool)) {
                (Some(total), _) => page < total,
                (None, Some(more)) => more || page == 0,
                (None, None) => page == 0 || !list.is_empty(),
            };
            // A server that repeats itself has nothing more to say, whatever it promises; but its page 1 may be its page 0.
            if !more || (!new && page > 1) {
                return Ok(found);
            }
        }
        Err(Trouble::passing(format!(
            "{}: the list of clusters has more than {MOST_PAGES} pages and does not end",
            self.base
        )))
    }

    /// The definition with this config hash; `None` if there is none.
    pub fn definition(&self, config_hash: B256) -> Answer<Option<Value>> {
        self.get(&format!("/v1/definition/{config_hash}"))
    }

    /// The lock with this hash; `None` if there is none.
    pub fn lock(&self, lock_hash: B256) -> Answer<Option<Value>> {
        self.get(&format!("/v1/lock/{lock_hash}"))
    }

    /// The lock of the cluster with this config hash; `None` as long as its ceremony is not over. Whether it is true is not checked.
    pub fn lock_of(&self, config_hash: B256) -> Answer<Option<Value>> {
        let path = format!("/v1/lock/configHash/{config_hash}");
        let Some(answer) = self.get(&path)? else { return Ok(None) };
        let of_it = Lock::parse(&answer.to_string())
            .is_ok_and(|lock| lock.definition.compute_config_hash().is_ok_and(|hash| hash == config_hash));
        if of_it {
            return Ok(Some(answer));
        }
        Err(Trouble::passing(format!("{}{path}: the answer is no lock of this cluster", self.base)))
    }

    /// Tells that an operator agreed; `definition` holds what it signed. Telling it again changes nothing.
    pub fn accept(&self, definition: &Definition, account: &AccountKey) -> Answer<()> {
        let at = definition
            .position_of(account.address())
            .ok_or_else(|| Failure::new("this account is no operator of the cluster"))?;
        let (operator, fork) = (&definition.operators[at], definition.fork_version.to_string());
        let body = json!({"address": operator.address, "enr": operator.enr, "version": definition.version,
            "enr_signature": operator.enr_signature, "fork_version": fork});
        let path = format!("/v1/definition/{}", definition.config_hash);
        let (status, text) = self.send("PUT", &path, Some(&operator.config_signature.to_string()), &body)?;
        match status {
            200..=299 | 409 => Ok(()),
            _ => Err(self.refused("PUT", &path, status, &text)),
        }
    }

    /// Tells that an account agrees to Obol's terms. Telling it again changes nothing.
    pub fn accept_terms(&self, account: &AccountKey, chain_id: u64) -> Answer<()> {
        let signature = hex::encode_prefixed(Message::Terms.sign(account, chain_id)?);
        let fork = hex::encode_prefixed(network::fork_version(chain_id)?);
        let body = json!({"address": account.address().to_checksum(None), "version": TERMS_VERSION,
            "terms_and_conditions_hash": TERMS_HASH, "fork_version": fork});
        let path = "/v1/termsAndConditions";
        let (status, text) = self.send("POST", path, Some(&signature), &body)?;
        match status {
            200..=299 | 409 => Ok(()),
            _ => Err(self.refused("POST", path, status, &text)),
        }
    }

    /// Tells the lock of a cluster. Telling it again changes nothing.
    pub fn publish(&self, lock: &Value) -> Answer<()> {
        let path = "/v1/lock";
        let (status, text) = self.send("POST", path, None, lock)?;
        match status {
            200..=299 | 409 => Ok(()),
            _ => Err(self.refused("POST", path, status, &text)),
        }
    }

    /// What is there; `None` if nothing is.
    fn get(&self, path: &str) -> Answer<Option<Value>> {
        self.get_within(path, LARGEST).map(|(answer, _)| answer)
    }

    /// The same, of at most so many bytes, and how many they were.
    fn get_within(&self, path: &str, most: u64) -> Answer<(Option<Value>, u64)> {
        let mut request = Request::new("GET", format!("{}{path}", self.base));
        request.headers.push(("Accept".into(), "application/json".into()));
        let (status, body) = self.ask(request, most)?;
        match status {
            200..=299 => serde_json::from_slice(&body)
                .map(|answer| (Some(answer), body.len() as u64))
                .map_err(|_| Trouble::passing(format!("{}{path}: the answer is no JSON, or half of it", self.base))),
            404 => Ok((None, 0)),
            _ => Err(self.refused("GET", path, status, &body)),
        }
    }

    fn send(&self, method: &str, path: &str, token: Option<&str>, body: &Value) -> Answer<(u16, Vec<u8>)> {
        let mut request = Request::new(method, format!("{}{path}", self.base));
        request.headers.extend(token.map(|token| ("Authorization".into(), format!("Bearer {token}"))));
        request.headers.push(("Content-Type".into(), "application/json".into()));
        request.body = Some(body.to_string().into_bytes());
        // A signature is for this server, and for none that it points to.
        request.redirects = 0;
        self.ask(request, LARGEST)
    }

    fn ask(&self, mut request: Request, most: u64) -> Answer<(u16, Vec<u8>)> {
        let url = request.url.clone();
        request.timeout = self.patience;
        let deadline = Instant::now() + self.patience;
        let mut response = self.system.http(&request)?;
        // Of those that refuse a request, these refuse it for now.
        if matches!(response.status, 408 | 425 | 429 | 500..=599) {
            let header =
                |name: &str| response.headers.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str());
            let after = header("retry-after").and_then(|value| value.trim().parse().ok()).map(Duration::from_secs);
            return Err(Trouble {
                after,
                ..Trouble::passing(format!("{url}: {} {}", response.status, response.reason))
            });
        }
        let endless =
            || Trouble::passing(format!("{url}: the answer has more than {} KiB, and is not read", most >> 10));
        if response.length.is_some_and(|length| length > most) {
            return Err(endless());
        }
        let (mut body, mut buffer) = (Vec::new(), vec![0; 64 << 10]);
        loop {
            match response.body.read(&mut buffer) {
                Ok(0) => return Ok((response.status, body)),
                Ok(count) => body.extend_from_slice(&buffer[..count]),
                Err(error) => return Err(Trouble::passing(format!("{url}: the answer breaks off: {error}"))),
            }
            if body.len() as u64 > most {
                return Err(endless());
            }
            if Instant::now() >= deadline || self.system.cancelled.load(Ordering::Relaxed) {
                return Err(Trouble::passing(format!("{url}: the answer does not come to an end in time")));
            }
        }
    }

    fn refused(&self, method: &str, path: &str, status: u16, body: &[u8]) -> Trouble {
        let text: String =
            String::from_utf8_lossy(body).chars().filter(|letter| !letter.is_control()).take(200).collect();
        let failure = Failure::new(format!("{method} {}{path}: {status} {}", self.base, text.trim()));
        let failure = match status {
            401 => failure.help("the account has not agreed to Obol's terms, or the signature is another account's"),
            404 => failure.help("the API does not know this cluster"),
            _ => failure,
        };
        Trouble::lasting(failure)
    }
}

/// Whether the operator is named in it.
fn names(definition: &Value, operator: Address) -> bool {
    let operators = definition.get("operators").and_then(Value::as_array);
    let is_it = |it: &Value| {
        it.get("address")
            .and_then(Value::as_str)
            .is_some_and(|text| parse_address(&text.to_lowercase()).is_ok_and(|it| it == operator))
    };
    operators.is_some_and(|operators| operators.iter().any(is_it))
}

#[cfg(test)]
pub(crate) mod stand_in;
#[cfg(test)]
mod tests;
