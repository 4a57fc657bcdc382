//! Chainwright: a declarative playbook runner for private Ethereum networks.
//!
//! One crate, one binary. The same binary is the controller on a laptop (or in cron, or in CI) and the agent on every host
//! that it manages.
//!
//! # Layers
//!
//! A folder may import folders below it in this list, never above; `tests/architecture.rs` holds the code to it.
//!
//! | folder | job |
//! |---|---|
//! | [`cli`] | from argv to one function per subcommand |
//! | [`report`] | observers of events: terminal, JSON lines |
//! | [`run`] | the dispatcher (sole owner of a run's state), a step's life, signals |
//! | [`plan`] | plays become entries and steps with needs; checks of module names and arguments |
//! | [`connect`] | a byte stream with an agent behind it: ssh, local |
//! | [`agent`] | protocol, frames, serving |
//! | [`modules`] | one file a module; the registry is one line a module |
//! | [`ethstats`] | the stats server of a network |
//! | [`rpc_filter`] | what strangers may ask of a node |
//! | [`chain`] | pure Ethereum: keys, keystore, enode, genesis, what client versions read, RPC |
//! | [`system`] | what an agent can read and write on a host, always under a root folder |
//! | [`language`] | what the user wrote: playbooks, roles, inventories, variables, templates |
//! | [`base`] | words that everyone shares: outcome, diff, failure, event, secret, diagnostic, span |
//!
//! # The walk of one task
//!
//! 1. [`language::loader`] reads it with its place in the file; imports and roles become blocks.
//! 2. [`plan::flatten`] puts it into the play's list; [`plan::check`] compares its module and options with the registry.
//!    All mistakes of all files come together, before anything connects.
//! 3. The dispatcher (`run/dispatch.rs`, `turn.rs`, `batch.rs`) takes the list host by host. What other hosts could observe
//!    waits until all have come that far; consecutive steps that only their own host can see travel as one batch.
//! 4. `run/step.rs` renders it; a template that reads a value still being made makes the step wait, whatever it reads.
//! 5. [`modules::Module::prepare`] finds local files and renders templates on the controller.
//! 6. [`connect`] opens the host once per user; [`agent`] runs the calls of a batch in order.
//! 7. The module reads [`system::System`], and changes it only in [`modules::Cx::change`], which in check mode only records.
//! 8. `run/result.rs` applies `changed_when` and `failed_when`; `run/complete.rs` registers, notifies, and makes the events.
//!    Who is notified is also noted on the host, before the change is made, until the handler has run there
//!    ([`agent::notes`]): should the run die in between, the next one runs it.
//! 9. `run/screen.rs` counts the events, masks secrets, and lets them out in playbook order to the reporters.

pub mod agent;
pub mod base;
pub mod chain;
pub mod cli;
pub mod connect;
pub mod ethstats;
pub mod language;
pub mod modules;
pub mod plan;
pub mod report;
pub mod rpc_filter;
pub mod run;
pub mod system;
