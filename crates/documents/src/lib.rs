//! Data to PDF bytes: layout, code and QR.
