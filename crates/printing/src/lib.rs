//! Bytes to paper over IPP, exactly once.
