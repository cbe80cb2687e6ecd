//! One end of a WebSocket connection, without its socket.

use super::deflate;
use super::frame::Bits;
use super::receiver::{Limits, Receiver, Sink};
use super::role::Role;
use super::sender;
use super::violation::Violation;

/// What an endpoint is told when it is made.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Which end of the connection this is.
    pub role: Role,
    /// What the peer may make us hold.
    pub limits: Limits,
    /// Take text messages and close reasons as they are.
    pub skip_utf8_validation: bool,
    /// The parameters of permessage-deflate, if it was negotiated.
    pub deflate: Option<deflate::Params>,
}

/// One end of a connection: bytes in, events out; payloads in, frames out.
#[derive(Debug)]
pub struct Endpoint {
    receiver: Receiver,
}

impl Endpoint {
    /// An endpoint right after the opening handshake.
    pub fn new(config: Config) -> Self {
        Self {
            receiver: Receiver::new(config.role, config.limits, config.skip_utf8_validation),
        }
    }

    /// Takes the next bytes from the peer, which may be unmasked in place, and reports what they
    /// complete. After a violation or a close frame every further byte is discarded.
    pub fn handle_bytes(
        &mut self,
        bytes: &mut [u8],
        sink: &mut impl Sink,
    ) -> Result<(), Violation> {
        self.receiver.handle_bytes(bytes, sink)
    }

    /// Appends one frame to `out`. `key` is used only when the bits have `KEY`.
    pub fn frame(&mut self, out: &mut Vec<u8>, payload: &[u8], bits: Bits, key: [u8; 4]) {
        sender::append_frame(out, payload, bits, key);
    }

    /// Whether a close frame or a violation was seen.
    pub fn is_receiving_finished(&self) -> bool {
        self.receiver.is_finished()
    }
}
