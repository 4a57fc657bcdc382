//! Controller and agent: what they say, how it is framed, how the agent serves.

pub mod blobs;
pub mod frame;
pub mod protocol;
pub mod serve;
