//! What terminal and central say to each other.
