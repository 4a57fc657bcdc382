//! Reading files and folders.

/// What a path is.
#[derive(Debug)]
pub enum Kind {}
/// What is known of a path.
#[derive(Debug)]
pub struct Meta;
