//! Bytes that are read where they belong.

use super::{Receiver, Sink, is_above};
use crate::protocol::mask;
use crate::protocol::violation::Violation;

/// A payload of which less is missing is read along with what is behind it; a message of which less has come gets no
/// memory for what its peer merely claims.
pub(super) const MIN_DIRECT: usize = 16 * 1024;
/// What is read at once stays in a cache until it is unmasked.
pub(super) const MAX_DIRECT: usize = 128 * 1024;

impl Receiver {
    /// Where the next bytes of the stream belong, and how many at most, if they are known to be those of one
    /// long payload: who reads them there saves a copy, and has [`took_direct`](Self::took_direct) told.
    pub fn direct(&mut self) -> Option<(&mut Vec<u8>, usize)> {
        let frame = self.frame.as_ref().filter(|_| !self.is_finished)?;
        let missing = usize::try_from(frame.missing).unwrap_or(usize::MAX);
        if missing < MIN_DIRECT
            || self.assembly.len() < MIN_DIRECT
            || frame.is_control()
            || self.is_compressed
            || self.absence.is_some()
        {
            return None;
        }
        let memory = self.assembly.memory(MIN_DIRECT, frame.outstanding());
        let room = memory.capacity() - memory.len();
        Some((memory, room.min(missing).min(MAX_DIRECT)))
    }

    /// Takes the `added` bytes that were appended to the memory [`direct`](Self::direct) gave.
    pub fn took_direct(&mut self, added: usize, sink: &mut impl Sink) -> Result<(), Violation> {
        let result = self.take_direct(added, sink);
        self.ended(result)
    }

    fn take_direct(&mut self, added: usize, sink: &mut impl Sink) -> Result<usize, Violation> {
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
        frame.missing -= added as u64;
        if frame.missing > 0 {
            self.count_chunk(true, added);
            return Ok(0);
        }
        self.parse(&mut [], sink)
    }
}
