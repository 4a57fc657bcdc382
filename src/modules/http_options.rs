//! The options that `uri` and `get_url` share: who asks, how it is proved, how long to wait.

use super::Result;
use super::loose::{Flag, Number, Text, yes};
use crate::base::{Secret, Value};
use crate::system::http::{Request, Trust};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Cow;
use std::time::Duration;

/// Options of a request. Put it into a module's struct with `#[serde(flatten)]`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct HttpOptions {
    /// Headers to send: a table, or `Name: value, Other: value` as one text.
    #[serde(default)]
    pub headers: Headers,
    /// User for basic authentication; it is sent with the first request.
    #[serde(default)]
    pub url_username: Option<Text>,
    /// Password for basic authentication.
    #[serde(default)]
    pub url_password: Option<Text>,
    /// Accepted for Ansible's sake: the password is always sent with the first request.
    #[serde(default)]
    pub force_basic_auth: Flag,
    /// Seconds to wait for the connection, and then for each piece of the answer.
    #[serde(default)]
    pub timeout: Option<Number>,
    /// Refuse servers that cannot prove their name. Only switch it off for a test.
    #[serde(default = "yes")]
    pub validate_certs: Flag,
    /// A file on the host with certificate authorities (PEM) to trust beside the host's own.
    #[serde(default)]
    pub ca_path: Option<String>,
    /// A file on the host with our certificate (PEM), for servers that want one.
    #[serde(default)]
    pub client_cert: Option<String>,
    /// A file on the host with the key of `client_cert`, if that does not hold it.
    #[serde(default)]
    pub client_key: Option<String>,
    /// Use the proxy that the environment names (`https_proxy`).
    #[serde(default = "yes")]
    pub use_proxy: Flag,
    /// Without `url_username`, use the login that the `.netrc` of the user on the host has for the server.
    #[serde(default = "yes")]
    pub use_netrc: Flag,
    /// Let the server compress what it sends. `false` asks for it as it is, for a file that is compressed already.
    #[serde(default = "yes")]
    pub decompress: Flag,
    /// What to call ourselves in `User-Agent`.
    #[serde(default)]
    pub http_agent: Option<Text>,
}

/// Names and values of headers.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Headers(pub Vec<(String, String)>);

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = |value: Value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        match Value::deserialize(deserializer)? {
            Value::Null => Ok(Self::default()),
            Value::Object(map) => Ok(Self(map.into_iter().map(|(name, value)| (name, text(value))).collect())),
            Value::String(line) => line
                .split(',')
                .filter(|pair| !pair.trim().is_empty())
                .map(|pair| {
                    let (name, value) = pair
                        .split_once(':')
                        .ok_or_else(|| D::Error::custom(format!("`{pair}` is not a header; write `Name: value`")))?;
                    Ok((name.trim().to_owned(), value.trim().to_owned()))
                })
                .collect::<Result<_, _>>()
                .map(Self),
            // What `prepare` made of it, on its way to the host.
            list @ Value::Array(_) => serde_json::from_value(list).map(Self).map_err(D::Error::custom),
            other => Err(D::Error::custom(format!("{other} is not a table of headers"))),
        }
    }
}

impl JsonSchema for Headers {
    fn schema_name() -> Cow<'static, str> {
        "Headers".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["object", "string"], "additionalProperties": { "type": ["string", "number", "boolean"] } })
    }
}

impl HttpOptions {
    /// Other names of these arguments.
    pub const ALIASES: &'static [(&'static str, &'static str)] =
        &[("username", "url_username"), ("user", "url_username"), ("password", "url_password"), ("attr", "attributes")];

    /// Options of Ansible's that cannot be had.
    pub const REFUSED: &'static [(&'static str, &'static str)] = &[
        ("ciphers", "leave it out: TLS 1.2 and 1.3 are spoken, with the ciphers that are good today"),
        (
            "unredirected_headers",
            "leave it out: a login never follows a redirect to another server. For other headers, ask the last address itself",
        ),
        ("use_gssapi", "leave it out, and write `url_username` and `url_password`, or a header `Authorization`"),
    ];

    /// A request with these options.
    pub fn request(&self, method: &str, url: &str, seconds: i64) -> Request {
        let seconds = self.timeout.map_or(seconds, |timeout| timeout.0);
        let mut request = Request::new(method, url);
        request.headers.clone_from(&self.headers.0);
        if let Some(agent) = &self.http_agent {
            request.headers.push(("User-Agent".into(), agent.0.clone()));
        }
        request.timeout = Duration::from_secs(u64::try_from(seconds).unwrap_or(0).max(1));
        request.login = self.url_username.as_ref().map(|user| {
            let password = self.url_password.as_ref().map(|password| password.0.clone()).unwrap_or_default();
            (user.0.clone(), Secret::new(password))
        });
        request.proxy = self.use_proxy.0;
        request.netrc = self.use_netrc.0;
        request.compressed = self.decompress.0;
        request.trust = Trust {
            verify: self.validate_certs.0,
            ca_path: self.ca_path.clone(),
            client_cert: self.client_cert.clone(),
            client_key: self.client_key.clone(),
        };
        request
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn headers_are_a_table_or_a_text() {
        let read = |value| serde_json::from_value::<Headers>(value).unwrap().0;
        let expected = [("A".to_owned(), "1".to_owned()), ("B".to_owned(), "x y".to_owned())];
        assert_eq!(read(json!({"A": 1, "B": "x y"})), expected);
        assert_eq!(read(json!("A: 1, B:x y")), expected);
        assert_eq!(read(serde_json::to_value(Headers(expected.to_vec())).unwrap()), expected);
        assert!(serde_json::from_value::<Headers>(json!("nonsense")).is_err());
    }
}
