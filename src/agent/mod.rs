//! Controller and agent: what they say, how it is framed, how the agent serves.

pub mod protocol;
