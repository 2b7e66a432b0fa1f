//! What a citizen does at the kiosk: step and view.
