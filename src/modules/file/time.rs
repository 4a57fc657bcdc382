//! Times that `file` gives.

use super::super::Result;
use crate::base::Failure;

/// A time that a file shall have.
#[derive(Debug, Clone, Copy)]
pub(super) enum Time {
    Now,
    At(i64),
}

impl Time {
    /// `None`: stay as it is.
    pub fn parse(text: &str, format: &str) -> Result<Option<Self>> {
        if matches!(text, "preserve" | "") {
            return Ok(None);
        }
        if text == "now" {
            return Ok(Some(Self::Now));
        }
        let time = jiff::civil::DateTime::strptime(format, text)
            .and_then(|time| time.to_zoned(jiff::tz::TimeZone::system()))
            .map_err(|error| {
                Failure::new(format!("the time `{text}` is not written as `{format}`: {error}"))
                    .help("write `now`, `preserve`, or a time like 202612312359.59")
            })?;
        Ok(Some(Self::At(i64::try_from(time.timestamp().as_nanosecond()).unwrap_or(i64::MAX))))
    }

    pub fn fixed(self) -> Option<i64> {
        match self {
            Self::Now => None,
            Self::At(nanos) => Some(nanos),
        }
    }

    pub fn nanos(self) -> i64 {
        self.fixed().unwrap_or_else(|| i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX))
    }

    pub fn shown(self) -> String {
        self.fixed().map_or("now".into(), shown)
    }
}

/// A time in nanoseconds since 1970, for people.
pub(super) fn shown(nanos: i64) -> String {
    jiff::Timestamp::from_nanosecond(nanos.into()).map_or_else(|_| nanos.to_string(), |time| time.to_string())
}
