//! The city's server: registry, keys, feed, uploads, ledger, documents.
