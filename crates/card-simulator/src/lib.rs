//! The citizen's card on the other side of the wire: DESFire, in process and behind vpcd.
