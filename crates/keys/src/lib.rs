//! Card keys: diversification, handshakes, session keys, and the trait behind which they are held.
