//! The terminal's two databases: cache and journal.
