//! Observers of events: terminal, JSON lines.
