//! The top-up as a pure state machine, its limits and its books.
