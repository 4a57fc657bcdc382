//! Filters on points in time.

use super::super::Callable;
use super::super::args::Args;
use super::super::convert::wrong;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use minijinja::value::{Object, ObjectRepr};
use minijinja::{Error, State, Value};
use std::cmp::Ordering;
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

/// A date and time without zone, in microseconds as Python has it; two of them have a difference.
#[derive(Debug)]
struct Moment(DateTime);

/// A value for it.
pub(in super::super) fn moment(time: DateTime) -> Value {
    let nanos = time.subsec_nanosecond() / 1000 * 1000;
    Value::from_object(Moment(time.with().subsec_nanosecond(nanos).build().unwrap_or(time)))
}

impl Moment {
    /// `2026-11-30T04:27:24.123456`, without the fraction if there is none.
    fn text(&self, between: char) -> String {
        let fraction = if self.0.subsec_nanosecond() == 0 { "" } else { ".%6f" };
        self.0.strftime(&format!("%Y-%m-%d{between}%H:%M:%S{fraction}")).to_string()
    }
}

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
            "microsecond" => Value::from(self.0.subsec_nanosecond() / 1000),
            _ => return None,
        })
    }

    fn call_method(self: &Arc<Self>, _: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        // Without a zone it is meant where the playbook runs.
        let zoned = || self.0.to_zoned(TimeZone::system()).map_err(|error| wrong(error.to_string()));
        let weekday = self.0.date().weekday();
        match (method, args) {
            ("strftime", [format]) => formatted(format.as_str().unwrap_or_default(), &zoned()?).map(Value::from),
            ("isoformat", []) => Ok(Value::from(self.text('T'))),
            ("isoformat", [between]) => {
                Ok(Value::from(self.text(between.as_str().and_then(|text| text.chars().next()).unwrap_or('T'))))
            }
            #[allow(clippy::cast_precision_loss)] // microseconds of a date fit
            ("timestamp", []) => Ok(Value::from(zoned()?.timestamp().as_microsecond() as f64 / 1e6)),
            ("weekday", []) => Ok(Value::from(weekday.to_monday_zero_offset())),
            ("isoweekday", []) => Ok(Value::from(weekday.to_monday_one_offset())),
            ("date", []) => Ok(Value::from(self.0.strftime("%Y-%m-%d").to_string())),
            ("time", []) => Ok(Value::from(self.text(' ').split_once(' ').map(|(_, time)| time).unwrap_or_default())),
            _ => Err(Error::from(minijinja::ErrorKind::UnknownMethod)),
        }
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(' '))
    }
}

/// What lies between two moments, in microseconds.
#[derive(Debug)]
struct Between(i64);

/// A day in microseconds.
const DAY: i64 = 86_400_000_000;

impl Object for Between {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "days" => Some(Value::from(self.0.div_euclid(DAY))),
            "seconds" => Some(Value::from(self.0.rem_euclid(DAY) / 1_000_000)),
            "microseconds" => Some(Value::from(self.0.rem_euclid(1_000_000))),
            _ => None,
        }
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, rest) = (self.0.div_euclid(DAY), self.0.rem_euclid(DAY) / 1_000_000);
        if days != 0 {
            write!(f, "{days} day{}, ", if days.abs() == 1 { "" } else { "s" })?;
        }
        write!(f, "{}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60)?;
        match self.0.rem_euclid(1_000_000) {
            0 => Ok(()),
            micros => write!(f, ".{micros:06}"),
        }
    }

    fn call_method(self: &Arc<Self>, _: &mut State<'_, '_>, method: &str, _: &[Value]) -> Result<Value, Error> {
        match method {
            #[allow(clippy::cast_precision_loss)] // microseconds between dates fit
            "total_seconds" => Ok(Value::from(self.0 as f64 / 1e6)),
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
    Ok(self::moment(moment))
}

/// Whether this is a value of ours that stands for its text.
pub(in super::super) fn is_time(value: &Value) -> bool {
    value.downcast_object_ref::<Moment>().is_some() || value.downcast_object_ref::<Between>().is_some()
}

/// The difference of two moments; `None` if they are not moments.
pub(super) fn minus(left: &Value, right: &Value) -> Option<Value> {
    let (left, right) = (left.downcast_object_ref::<Moment>()?, right.downcast_object_ref::<Moment>()?);
    let micros = i64::try_from(left.0.duration_since(right.0).as_micros()).ok()?;
    Some(Value::from_object(Between(micros)))
}

/// Which of two moments, or of two times between them, comes first; `None` if they are not that.
pub(super) fn compared(left: &Value, right: &Value) -> Option<Ordering> {
    let moments = left.downcast_object_ref::<Moment>().zip(right.downcast_object_ref::<Moment>());
    let times = || left.downcast_object_ref::<Between>().zip(right.downcast_object_ref::<Between>());
    moments.map(|(left, right)| left.0.cmp(&right.0)).or_else(|| times().map(|(left, right)| left.0.cmp(&right.0)))
}

/// Python's name of the type of a value of ours.
pub(in super::super) fn type_name(value: &Value) -> Option<&'static str> {
    let is_moment = value.downcast_object_ref::<Moment>().is_some();
    is_time(value).then_some(if is_moment { "datetime" } else { "timedelta" })
}
