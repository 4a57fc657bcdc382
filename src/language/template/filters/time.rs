//! Filters on points in time.

use super::super::Callable;
use super::super::args::Args;
use super::super::convert::wrong;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use minijinja::value::{Object, ObjectRepr};
use minijinja::{Error, State, Value};
use std::fmt;
use std::sync::Arc;

pub(super) const FILTERS: &[(&str, Callable)] = &[("strftime", strftime), ("to_datetime", to_datetime)];

/// A moment by a format of `strftime`.
pub(in super::super) fn formatted(format: &str, moment: &Zoned) -> Result<String, Error> {
    jiff::fmt::strtime::format(format, moment).map_err(|error| wrong(format!("the time format `{format}`: {error}")))
}

fn strftime(_: &mut State, args: &Args) -> Result<Value, Error> {
    let seconds = match args.get(0, "second") {
        Some(value) if !value.is_none() => Some(match value.as_str() {
            Some(text) => text.trim().parse().map_err(|_| wrong("`strftime` needs seconds since 1970"))?,
            None => f64::try_from(value.clone())?,
        }),
        _ => None,
    };
    #[allow(clippy::cast_possible_truncation)] // fractions of a second do not matter here
    let moment = match seconds {
        Some(seconds) => Timestamp::from_second(seconds as i64).map_err(|error| wrong(error.to_string()))?,
        None => Timestamp::now(),
    };
    let zone = if args.flag(1, "utc") { TimeZone::UTC } else { TimeZone::system() };
    formatted(&args.text()?, &moment.to_zoned(zone)).map(Value::from)
}

/// A date and time without zone; two of them have a difference.
#[derive(Debug)]
struct Moment(DateTime);

impl Object for Moment {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        Some(match key.as_str()? {
            "year" => Value::from(self.0.year()),
            "month" => Value::from(self.0.month()),
            "day" => Value::from(self.0.day()),
            "hour" => Value::from(self.0.hour()),
            "minute" => Value::from(self.0.minute()),
            "second" => Value::from(self.0.second()),
            _ => return None,
        })
    }

    fn call_method(self: &Arc<Self>, _: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        let zoned = self.0.to_zoned(TimeZone::UTC).map_err(|error| wrong(error.to_string()))?;
        match (method, args) {
            ("strftime", [format]) => formatted(format.as_str().unwrap_or_default(), &zoned).map(Value::from),
            ("isoformat", []) => Ok(Value::from(self.0.to_string())),
            #[allow(clippy::cast_precision_loss)] // seconds of a date fit
            ("timestamp", []) => Ok(Value::from(zoned.timestamp().as_second() as f64)),
            _ => Err(Error::from(minijinja::ErrorKind::UnknownMethod)),
        }
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.strftime("%Y-%m-%d %H:%M:%S"))
    }
}

/// What lies between two moments.
#[derive(Debug)]
struct Between(i64);

impl Object for Between {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "days" => Some(Value::from(self.0.div_euclid(86400))),
            "seconds" => Some(Value::from(self.0.rem_euclid(86400))),
            _ => None,
        }
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, rest) = (self.0.div_euclid(86400), self.0.rem_euclid(86400));
        if days != 0 {
            write!(f, "{days} day{}, ", if days.abs() == 1 { "" } else { "s" })?;
        }
        write!(f, "{}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60)
    }

    fn call_method(self: &Arc<Self>, _: &mut State<'_, '_>, method: &str, _: &[Value]) -> Result<Value, Error> {
        match method {
            #[allow(clippy::cast_precision_loss)] // seconds between dates fit
            "total_seconds" => Ok(Value::from(self.0 as f64)),
            _ => Err(Error::from(minijinja::ErrorKind::UnknownMethod)),
        }
    }
}

fn to_datetime(_: &mut State, args: &Args) -> Result<Value, Error> {
    let text = args.text()?;
    let format = args.str(0, "format")?.unwrap_or_else(|| "%Y-%m-%d %H:%M:%S".into());
    let broken = jiff::fmt::strtime::parse(&format, &text)
        .map_err(|error| wrong(format!("`{text}` is not a time of the form `{format}`: {error}")))?;
    let moment = broken.to_datetime().or_else(|_| broken.to_date().map(|date| date.at(0, 0, 0, 0)));
    let moment = moment.map_err(|error| wrong(format!("`{text}` by `{format}`: {error}")))?;
    Ok(Value::from_object(Moment(moment)))
}

/// Whether this is a value of ours that stands for its text.
pub(in super::super) fn is_time(value: &Value) -> bool {
    value.downcast_object_ref::<Moment>().is_some() || value.downcast_object_ref::<Between>().is_some()
}

/// The difference of two moments; `None` if they are not moments.
pub(super) fn minus(left: &Value, right: &Value) -> Option<Value> {
    let (left, right) = (left.downcast_object_ref::<Moment>()?, right.downcast_object_ref::<Moment>()?);
    let seconds = left.0.duration_since(right.0).as_secs();
    Some(Value::from_object(Between(seconds)))
}
