//! Words everyone shares: where text stands, what went wrong, what changed, what happened.

pub mod diagnostic;
pub mod diff;
pub mod event;
pub mod failure;
pub mod outcome;
pub mod python_regex;
pub mod recap;
pub mod secret;
pub mod span;
pub mod wildcard;

pub use diagnostic::Diagnostic;
pub use diff::Diff;
pub use event::Event;
pub use failure::Failure;
pub use outcome::Outcome;
pub use recap::Recap;
pub use secret::{Mask, Secret};
pub use span::{Source, Span};

/// Any data that crosses the wire, is registered, or is seen by a template.
pub type Value = serde_json::Value;
/// An ordered table of [`Value`]s by name.
pub type Map = serde_json::Map<String, serde_json::Value>;
