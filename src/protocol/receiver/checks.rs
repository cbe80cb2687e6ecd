//! What a header may say.

use super::Receiver;
use crate::protocol::frame::{MAX_CONTROL_PAYLOAD, opcode};
use crate::protocol::role::Role;
use crate::protocol::violation::Violation;

/// The largest payload length that JavaScript can count.
const MAX_SAFE_LEN: u64 = (1 << 53) - 1;

impl Receiver {
    /// The checks on the first two bytes, in ws's order: it decides which error a frame with several
    /// faults gets.
    pub(super) fn check_start(&self, first: u8, second: u8) -> Result<(), Violation> {
        // > MUST be 0 unless an extension is negotiated that defines meanings for non-zero values.
        if first & 0x30 != 0 {
            return Err(Violation::UnexpectedRsv2Or3);
        }
        let is_compressed = first & 0x40 != 0;
        if is_compressed && self.inflater.is_none() {
            return Err(Violation::UnexpectedRsv1);
        }
        let is_fragmented = self.assembly.opcode() != opcode::CONTINUATION;
        match first & 0xf {
            // > This bit MUST be set only on the first fragment of a message. (RFC 7692, section 6)
            opcode::CONTINUATION if is_compressed => return Err(Violation::UnexpectedRsv1),
            opcode::CONTINUATION if is_fragmented => {}
            opcode::TEXT | opcode::BINARY if !is_fragmented => {}
            code @ (opcode::CLOSE | opcode::PING | opcode::PONG) => {
                if first & 0x80 == 0 {
                    return Err(Violation::ExpectedFin);
                }
                if is_compressed {
                    return Err(Violation::UnexpectedRsv1);
                }
                let len = second & 0x7f;
                if usize::from(len) > MAX_CONTROL_PAYLOAD || (code == opcode::CLOSE && len == 1) {
                    return Err(Violation::InvalidControlPayloadLength(len));
                }
            }
            code => return Err(Violation::InvalidOpcode(code)),
        }
        // > The server MUST close the connection upon receiving a frame that is not masked. […] A
        // > client MUST close a connection if it detects a masked frame.
        match (self.role, second & 0x80 != 0) {
            (Role::Server, false) => Err(Violation::ExpectedMask),
            (Role::Client, true) => Err(Violation::UnexpectedMask),
            _ => Ok(()),
        }
    }

    pub(super) fn check_length(&mut self, opcode: u8, len: u64) -> Result<(), Violation> {
        if len > MAX_SAFE_LEN {
            return Err(Violation::UnsupportedDataPayloadLength);
        }
        if opcode & 0x8 == 0 && len > 0 {
            self.message_len = self.message_len.saturating_add(len);
            if self.limits.max_payload > 0 && self.message_len > self.limits.max_payload {
                return Err(Violation::UnsupportedMessageLength);
            }
        }
        Ok(())
    }

    pub(super) fn count_fragment(&mut self) -> Result<(), Violation> {
        self.fragments = self.fragments.saturating_add(1);
        if is_above(self.fragments, self.limits.max_fragments) {
            return Err(Violation::TooManyFragments);
        }
        Ok(())
    }
}

/// Whether there are more than allowed; 0 is no limit.
pub(super) fn is_above(count: u32, limit: u32) -> bool {
    limit > 0 && count > limit
}
