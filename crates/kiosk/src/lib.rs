//! The machine that runs a session: threads, timers, effects, recovery, configuration.
