//! The shell: one window, three commands and one channel. It decides nothing.
