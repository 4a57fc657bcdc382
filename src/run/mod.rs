//! The run: dispatcher, one step's life, locks, signals.
