//! A message, and how it is put together from what arrives.

use super::deflate::Inflater;
use super::frame::opcode;
use super::mask;
use super::utf8::{self, Utf8Validator};
use super::violation::Violation;
use crate::memory::buffer_pool;
use crate::memory::growth::reserve;

/// The bytes of a message.
#[derive(Debug, PartialEq, Eq)]
pub enum Payload<'a> {
    /// The message was one frame that lay whole in the bytes handed in; it was unmasked in place.
    Borrowed(&'a [u8]),
    /// The message was put together from pieces, or inflated.
    Owned(Vec<u8>),
}

impl AsRef<[u8]> for Payload<'_> {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Borrowed(bytes) => bytes,
            Self::Owned(bytes) => bytes,
        }
    }
}

/// A whole message.
#[derive(Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// Binary, or else text (UTF-8, unless validation was skipped).
    pub is_binary: bool,
    /// All of its bytes.
    pub payload: Payload<'a>,
    /// The lengths of its frames that were not empty, in order, if there was more than one.
    pub fragments: &'a [u32],
}

/// The message that is arriving.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    /// Of its first frame; CONTINUATION between messages.
    opcode: u8,
    validate: bool,
    bytes: Vec<u8>,
    utf8: Utf8Validator,
    /// Where the current frame begins in `bytes`.
    frame_start: usize,
    fragments: Vec<u32>,
}

impl Assembly {
    pub(super) fn begin(&mut self, opcode: u8, skip_utf8_validation: bool) {
        self.opcode = opcode;
        self.validate = opcode == opcode::TEXT && !skip_utf8_validation;
    }

    /// The opcode of the message, CONTINUATION between messages.
    pub(super) fn opcode(&self) -> u8 {
        self.opcode
    }

    /// Whether no byte of the message is held.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Bytes allocated at the moment.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity() + self.fragments.capacity() * size_of::<u32>()
    }

    /// Takes the next bytes of a message of which at most `outstanding` bytes, these among them, are still
    /// to come.
    pub(super) fn push(
        &mut self,
        key: [u8; 4],
        piece: &[u8],
        outstanding: u64,
    ) -> Result<(), Violation> {
        if self.bytes.capacity() == 0 {
            self.bytes = buffer_pool::take(outstanding);
        }
        let start = self.bytes.len();
        reserve(&mut self.bytes, piece.len(), outstanding);
        mask::append(key, piece, &mut self.bytes);
        self.validate_from(start)
    }

    /// The memory that the next bytes of the message go to, of which at most `outstanding` are still to
    /// come, with room for `least` or more after what it holds.
    pub(super) fn memory(&mut self, least: usize, outstanding: u64) -> &mut Vec<u8> {
        reserve(&mut self.bytes, least, outstanding);
        &mut self.bytes
    }

    /// Takes the last `added` bytes in [`memory`](Self::memory), which are masked.
    pub(super) fn take_added(&mut self, key: [u8; 4], added: usize) -> Result<(), Violation> {
        let start = self.bytes.len() - added;
        mask::apply(key, 0, &mut self.bytes[start..]);
        self.validate_from(start)
    }

    /// Takes the next bytes that a compressed frame inflates to; `fed` of its bytes are done. True when
    /// all of it is.
    pub(super) fn inflate(
        &mut self,
        inflater: &mut Inflater,
        data: &[u8],
        fin: bool,
        fed: &mut usize,
        limit: u64,
    ) -> Result<bool, Violation> {
        let start = self.bytes.len();
        let is_done = inflater.step(data, fin, fed, limit, &mut self.bytes)?;
        self.validate_from(start)?;
        Ok(is_done)
    }

    fn validate_from(&mut self, start: usize) -> Result<(), Violation> {
        if self.validate && !self.utf8.push(&self.bytes[start..]) {
            return Err(Violation::InvalidUtf8);
        }
        Ok(())
    }

    /// How many bytes of the message are held.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// All bytes of a frame are there, and another frame will follow.
    pub(super) fn end_frame(&mut self) {
        push_length(&mut self.fragments, self.bytes.len() - self.frame_start);
        self.frame_start = self.bytes.len();
    }

    /// The message whose only bytes are `payload`. It is over then.
    pub(super) fn finish_with<'a>(&mut self, payload: &'a [u8]) -> Result<Message<'a>, Violation> {
        if self.validate && !utf8::is_valid(payload) {
            return Err(Violation::InvalidUtf8);
        }
        let is_binary = self.opcode == opcode::BINARY;
        self.opcode = opcode::CONTINUATION;
        Ok(Message {
            is_binary,
            payload: Payload::Borrowed(payload),
            fragments: &[],
        })
    }

    /// All bytes of the message are there. It is over then.
    pub(super) fn finish(&mut self) -> Result<Finished, Violation> {
        if self.validate && !self.utf8.is_complete() {
            return Err(Violation::InvalidUtf8);
        }
        if !self.fragments.is_empty() {
            self.end_frame();
        }
        let Self {
            opcode,
            bytes,
            fragments,
            ..
        } = std::mem::take(self);
        Ok(Finished {
            is_binary: opcode == opcode::BINARY,
            bytes,
            fragments,
        })
    }
}

/// What an [`Assembly`] made.
pub(super) struct Finished {
    is_binary: bool,
    bytes: Vec<u8>,
    fragments: Vec<u32>,
}

impl Finished {
    pub(super) fn message(&mut self) -> Message<'_> {
        Message {
            is_binary: self.is_binary,
            payload: Payload::Owned(std::mem::take(&mut self.bytes)),
            fragments: match self.fragments.len() {
                1 => &[],
                _ => &self.fragments,
            },
        }
    }
}

/// Notes the length of a frame. One that 32 bits cannot count is noted as several.
fn push_length(fragments: &mut Vec<u32>, len: usize) {
    let mut left = len;
    while left > 0 {
        let part = u32::try_from(left).unwrap_or(u32::MAX);
        fragments.push(part);
        left -= part as usize;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_that_32_bits_cannot_count_is_several() {
        let mut fragments = Vec::new();
        push_length(&mut fragments, 0);
        push_length(&mut fragments, 5);
        push_length(&mut fragments, u32::MAX as usize);
        push_length(&mut fragments, u32::MAX as usize + 1);
        assert_eq!(fragments, [5, u32::MAX, u32::MAX, 1]);
    }
}
