//! The text behind a URL, as `lookup('url')` has it: asked for from the controller.

use crate::base::failure::{Context, Result};
use crate::base::{Failure, Map, Value};
use crate::modules::http_options::HttpOptions;
use crate::system::System;
use crate::system::http::without_login;
use std::io::Read;

/// The largest answer that is taken in.
const LARGEST: u64 = 64 << 20;

/// Names that the lookup has for options of `uri`.
const NAMES: &[(&str, &str)] = &[("username", "url_username"), ("password", "url_password")];

/// Asks for it; any answer but a good one is a failure.
pub fn text(url: &str, options: &Map) -> Result<String> {
    let options: Map = options
        .iter()
        .map(|(name, value)| {
            let name = NAMES.iter().find(|(known, _)| known == name).map_or(name.as_str(), |(_, own)| own);
            (name.to_owned(), value.clone())
        })
        .collect();
    let options: HttpOptions = serde_json::from_value(Value::Object(options))
        .map_err(|error| Failure::new(format!("an option of `lookup('url')`: {error}")))?;
    let shown = without_login(url);
    let mut response = System::new("/").http(&options.request("GET", url, 10))?;
    if !(200..300).contains(&response.status) {
        return Err(Failure::new(format!("{shown}: the server answered {} {}", response.status, response.reason)));
    }
    let mut bytes = Vec::new();
    response.body.by_ref().take(LARGEST).read_to_end(&mut bytes).context(&shown)?;
    String::from_utf8(bytes).map_err(|_| Failure::new(format!("{shown}: the answer is not UTF-8 text")))
}
