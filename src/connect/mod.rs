//! A byte stream with an agent behind it: ssh, local.
