//! A URL's parts that must be known before it is asked for, and must not be shown: user and password.

use crate::base::failure::Result;
use crate::base::{Failure, Secret};

/// The URL without `user:password@`, to be shown.
pub fn without_login(url: &str) -> String {
    split_login(url).map_or_else(|_| url.rsplit('@').next().unwrap_or_default().to_owned(), |(url, _)| url)
}

/// Takes `user:password@` out of a URL: a header carries it, and no message shows it.
pub(super) fn split_login(url: &str) -> Result<(String, Option<(String, Secret)>)> {
    let Some((scheme, rest)) = url.split_once("://").filter(|(scheme, _)| matches!(*scheme, "http" | "https")) else {
        return Err(Failure::new(format!("`{}` is not a URL", url.rsplit('@').next().unwrap_or_default()))
            .help("write http://HOST/PATH or https://HOST/PATH"));
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let path = path.split('#').next().unwrap_or_default();
    let Some((login, host)) = authority.rsplit_once('@') else {
        return Ok((format!("{scheme}://{authority}{path}"), None));
    };
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    let login = (percent_decode(user), Secret::new(percent_decode(password)));
    Ok((format!("{scheme}://{host}{path}"), Some(login)))
}

fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let digits = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match digits.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
