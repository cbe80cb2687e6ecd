//! Streams of frames, and who takes them.

use oxws::protocol::sender::append_frame;
use oxws::protocol::{FrameFlags, Limits, Message, Receiver, Role, Sink};

/// Looks at what it is given, as little as it can.
#[derive(Default)]
pub struct Count(usize);

impl Sink for Count {
    fn message(&mut self, message: Message<'_>) {
        self.0 += message.payload.as_ref().len();
    }

    fn ping(&mut self, payload: &[u8]) {
        self.0 += payload.len();
    }

    fn pong(&mut self, payload: &[u8]) {
        self.0 += payload.len();
    }

    fn close(&mut self, _code: u16, reason: &[u8]) {
        self.0 += reason.len();
    }
}

/// A payload of ASCII stays ASCII whether it is masked or not, so that a stream that was unmasked in
/// place can be handed in again.
const KEY: [u8; 4] = [0x11, 0x22, 0x33, 0x44];

/// That of a server.
pub fn receiver() -> Receiver {
    let limits = Limits {
        max_payload: 100 * 1024 * 1024,
        ..Limits::default()
    };
    Receiver::new(Role::Server, limits, false, None)
}

/// `count` frames of `len` bytes, as a client sends them.
pub fn frames(opcode: u8, len: usize, count: usize) -> Vec<u8> {
    let flags = FrameFlags::opcode(opcode) | FrameFlags::FIN | FrameFlags::KEY;
    let mut bytes = Vec::new();
    for _ in 0..count {
        append_frame(&mut bytes, &vec![b'a'; len], flags, KEY);
    }
    bytes
}
