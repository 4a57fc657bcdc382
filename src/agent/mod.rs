//! Controller and agent: what they say, how it is framed, how the agent serves.

pub mod blobs;
mod call;
pub mod frame;
pub mod job;
pub mod notes;
pub mod protocol;
pub mod serve;
