//! The visit in the real window.
