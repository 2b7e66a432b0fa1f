//! Feed down, outbox up, each independent of the other.
