//! The filters, by theme. Each file lists its own in `FILTERS`.

mod choice;
mod codecs;
mod hashes;
mod lists;
mod net;
mod numbers;
mod operators;
pub(super) use choice::truth;
pub(super) use operators::order;
pub(super) mod paths;
pub(super) mod patterns;
mod picking;
mod pretty;
pub(super) mod printf;
mod sets;
mod tables;
mod text;
pub(super) mod time;
mod urls;
pub(super) mod yaml;

use super::Callable;

/// Filters that are told of undefined values; all others pass them on.
pub(super) const TAKES_UNDEFINED: &[&str] =
    &["default", "d", "mandatory", "ternary", "type_debug", "__var", "__attr", "__item", "__use"];

/// All of them.
pub(super) fn all() -> impl Iterator<Item = (&'static str, Callable)> {
    [
        operators::FILTERS,
        choice::FILTERS,
        text::FILTERS,
        patterns::FILTERS,
        lists::FILTERS,
        sets::FILTERS,
        picking::FILTERS,
        pretty::FILTERS,
        tables::FILTERS,
        numbers::FILTERS,
        codecs::FILTERS,
        yaml::FILTERS,
        hashes::FILTERS,
        paths::FILTERS,
        urls::FILTERS,
        net::FILTERS,
        time::FILTERS,
    ]
    .into_iter()
    .flatten()
    .copied()
}
