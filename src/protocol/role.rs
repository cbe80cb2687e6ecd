//! Which end of a connection an endpoint is.

/// The two ends differ in masking only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The end that accepted the connection: receives masked frames, sends unmasked ones.
    Server,
    /// The end that opened the connection: sends masked frames, receives unmasked ones.
    Client,
}
