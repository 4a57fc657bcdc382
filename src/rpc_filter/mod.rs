//! What strangers may ask of a node: JSON-RPC over HTTP and WebSocket, each call held against a list of methods.
//!
//! It stands between a web server, which ends TLS and counts clients, and a node's interfaces on the same host. A web server sees
//! addresses and headers; which methods a body asks for, in a batch or in a message of a WebSocket, it does not. What is passed on is
//! never the text that came: it is written anew from what was understood. So the node cannot read it in another way (a name
//! that stands twice, letters as escapes, `Method` beside `method`).
//!
//! A room of its own beside `chain`: nothing else uses it but its subcommand.

pub mod allow;
pub mod judge;
pub mod room;
pub mod server;
pub mod subscriptions;

pub use allow::Allow;
pub use server::{Upstream, serve};
