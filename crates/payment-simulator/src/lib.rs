//! A ZVT payment terminal on a TCP port, with every fault a real one has.
