//! Reading straight into a message's buffer.

use super::checks::is_above;
use super::{Receiver, Sink};
use crate::protocol::mask;
use crate::protocol::violation::Violation;

/// Less than this of a payload is read along with the frames after it. And before so much of a message has come, it gets no
/// memory for a length that its peer merely claims.
pub(super) const MIN_PAYLOAD_BUFFER: usize = 16 * 1024;
/// What is read at once stays in a cache until it is unmasked.
pub(super) const MAX_PAYLOAD_BUFFER: usize = 128 * 1024;

impl Receiver {
    /// The buffer that the next bytes of the stream can be appended to, and how many at most: if they are known to belong
    /// to one long payload. That saves a copy; [`advance_payload`](Self::advance_payload) then takes them.
    pub fn payload_buffer(&mut self) -> Option<(&mut Vec<u8>, usize)> {
        let frame = self.frame.as_ref().filter(|_| !self.is_finished)?;
        let remaining = usize::try_from(frame.remaining).unwrap_or(usize::MAX);
        if remaining < MIN_PAYLOAD_BUFFER
            || self.assembly.len() < MIN_PAYLOAD_BUFFER
            || frame.is_control()
            || self.is_compressed
            || self.pending_inflate.is_some()
        {
            return None;
        }
        let memory = self
            .assembly
            .memory(MIN_PAYLOAD_BUFFER, frame.outstanding());
        let room = memory.capacity() - memory.len();
        Some((memory, room.min(remaining).min(MAX_PAYLOAD_BUFFER)))
    }

    /// Takes the `added` bytes that were appended to the [`payload_buffer`](Self::payload_buffer).
    pub fn advance_payload(&mut self, added: usize, sink: &mut impl Sink) -> Result<(), Violation> {
        self.has_inflated = false;
        let result = self.take_payload(added, sink);
        self.ended(result)
    }

    fn take_payload(&mut self, added: usize, sink: &mut impl Sink) -> Result<usize, Violation> {
        let Some(frame) = &mut self.frame else {
            return Ok(0);
        };
        if is_above(
            self.chunks.saturating_add(1),
            self.limits.max_buffered_chunks,
        ) {
            return Err(Violation::TooManyBufferedChunks);
        }
        self.assembly.take_added(frame.key, added)?;
        frame.key = mask::rotate(frame.key, added);
        frame.remaining -= added as u64;
        if frame.remaining > 0 {
            self.count_chunk(true, added);
            return Ok(0);
        }
        self.parse(&mut [], sink)
    }
}
