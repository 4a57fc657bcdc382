//! Values of the metrics' options. A failure never shows a secret.

use super::super::Version;
use super::ADDRESS;
use crate::base::{Failure, Map, Value, failure::Result};
use std::net::IpAddr;

pub fn text(value: &Value) -> Result<String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(Failure::new("not a text")),
    }
}

/// A text that stands in a unit and in a shell as it is.
pub fn plain(value: &Value) -> Result<String> {
    let text = text(value)?;
    let fits = |c: char| c.is_ascii_alphanumeric() || "_-.:/@+[]".contains(c);
    match text.chars().find(|c| !fits(*c)) {
        _ if text.is_empty() => Err(Failure::new("empty")),
        _ if text.starts_with('-') => Err(Failure::new(format!("{text} begins as a flag does"))),
        Some(c) => Err(Failure::new(format!("{text:?} has {c:?}, which cannot stand on geth's command line here"))
            .help("take letters, digits and _-.:/@+; InfluxDB knows an organization and a bucket by its ID too")),
        None => Ok(text),
    }
}

/// Where an InfluxDB answers.
pub fn endpoint(value: &Value) -> Result<String> {
    let text = text(value)?;
    let rest = ["http://", "https://"].iter().find_map(|scheme| text.strip_prefix(scheme));
    // Text with a login in it is not shown.
    if text.contains('@') {
        return Err(Failure::new(
            "a login does not belong into a URL: every user of the host can read the command line",
        )
        .help("give `username` and `password`, or `token`"));
    }
    match rest {
        Some(rest) if !rest.is_empty() && !rest.starts_with(['/', ':']) => plain(value),
        _ => Err(Failure::new(format!("{text:?} is not the URL of an InfluxDB"))
            .help("write http://HOST:8086 or https://HOST")),
    }
}

pub fn port(value: &Value) -> Result<u16> {
    let text = text(value)?;
    let port = text.parse().ok().filter(|port| *port > 0);
    port.ok_or_else(|| Failure::new(format!("{text:?} is not a port")).help("write a number from 1 to 65535"))
}

/// Where geth is to listen.
pub fn address(value: &Value) -> Result<IpAddr> {
    let text = text(value)?;
    match text.as_str() {
        "localhost" => Ok([127, 0, 0, 1].into()),
        text => text.parse().map_err(|_| Failure::new(format!("{text:?} is not an IP address")).help(ADDRESS)),
    }
}

/// An address as a version joins it with a port: as it is before 1.12.1 (cmd/utils/flags.go).
pub fn written(address: IpAddr, version: Version) -> String {
    let bare = address.is_ipv4() || version >= Version(1, 12, 1);
    if bare { address.to_string() } else { format!("[{address}]") }
}

/// Tags as geth splits them, `host=sealer1,network=main`; none if there are none. A `host` among them is the one that counts.
pub fn tags(value: &Value, host: Option<&Value>) -> Result<Option<String>> {
    let given = value.as_object().ok_or_else(|| Failure::new("not a table").help("write `tags: {network: main}`"))?;
    let mut all: Map = host.map(|host| ("host".to_owned(), host.clone())).into_iter().collect();
    all.extend(given.iter().map(|(name, value)| (name.clone(), value.clone())));
    let tag = |(name, value): (&String, &Value)| {
        let whole = plain(&Value::from(name.as_str())).and_then(|name| Ok(format!("{name}={}", plain(value)?)));
        whole.map_err(|failure| failure.context(format!("tag `{name}`")))
    };
    let all = all.iter().map(tag).collect::<Result<Vec<_>>>()?;
    Ok(Some(all.join(",")).filter(|tags| !tags.is_empty()))
}

/// Looks at a secret, and says nothing of what it saw.
pub fn secret(value: &Value) -> Result<()> {
    let secret = text(value)?;
    if secret.is_empty() {
        return Err(Failure::new("empty"));
    }
    if secret.chars().any(char::is_control) {
        return Err(Failure::new("it has a control character, or more than one line"));
    }
    Ok(())
}
