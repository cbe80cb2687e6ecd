//! Bytes that wait for the kernel.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::mem;

use bytes::{Buf, Bytes};

use crate::memory::buffer_pool;
use crate::memory::mmap_buffer::MmapBuffer;

/// A piece this long takes no more frames: what was written of a long queue is given back piece by piece.
const PIECE: usize = 64 * 1024;

/// Bytes of several queues that are fewer than this are copied into each of them: that costs less than a piece.
const SHARED: usize = 4 * 1024;

/// What the second frame of a piece has reserved at least, in bytes: more will follow in the same tick. Most have one, and of
/// many queues one frame each may wait.
const MIN_RESERVE: usize = 1000;

/// Slices of one write: Linux takes up to 1024, a few carry all that a socket buffer holds.
const SLICES: usize = 16;

/// A queue of bytes. Holds no memory while empty, and on the heap only its ends: what waits between them lies on pages that
/// go back to the system when it is written, or dropped.
#[derive(Default)]
pub(super) struct OutQueue {
    /// Pieces that take no more.
    full: VecDeque<Bytes>,
    /// The last piece, which takes what is appended.
    last: Vec<u8>,
    /// So many bytes of the last piece are written; of the others, what was written is gone.
    written: usize,
    len: usize,
}

impl OutQueue {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Lets `append` add bytes at the end, some `len`.
    pub(super) fn append(&mut self, len: usize, append: impl FnOnce(&mut Vec<u8>)) {
        if self.last.len() >= PIECE {
            self.end_piece();
        }
        if self.last.capacity() - self.last.len() < len {
            self.grow(len);
        }
        let before = self.last.len();
        append(&mut self.last);
        self.len += self.last.len() - before;
    }

    /// Adds bytes that other queues get as well: however many do, long ones are there once.
    pub(super) fn append_shared(&mut self, bytes: &Bytes) {
        if bytes.len() < SHARED {
            self.append(bytes.len(), |out| out.extend_from_slice(bytes));
            return;
        }
        if !self.last.is_empty() {
            self.end_piece();
        }
        self.len += bytes.len();
        self.full.push_back(bytes.clone());
    }

    /// Makes room for `len` bytes more in the last piece, if memory is kept that has it: what a piece gives when it is
    /// written is taken here by the next one, also where that begins with the short rest of a message.
    fn grow(&mut self, len: usize) {
        // As a vector grows: of many short appends few copy what is there.
        let wanted = (self.last.len() + len).max(2 * self.last.capacity());
        let mut kept = buffer_pool::take(wanted as u64);
        if kept.capacity() == 0 {
            let room = if self.last.is_empty() {
                len
            } else {
                wanted.max(MIN_RESERVE) - self.last.len()
            };
            self.last.reserve_exact(room);
        } else {
            kept.extend_from_slice(&self.last);
            buffer_pool::give(mem::replace(&mut self.last, kept));
        }
    }

    /// Begins a new piece. What is neither the first one nor short moves to pages, which leaves its memory for the new one.
    fn end_piece(&mut self) {
        let is_between = !self.full.is_empty() && self.last.len() >= PIECE;
        let pages = is_between.then(|| MmapBuffer::copy_of(&self.last));
        let mut piece = match pages.flatten() {
            Some(pages) => {
                self.last.clear();
                Bytes::from_owner(pages)
            }
            None => buffer_pool::share(mem::take(&mut self.last)),
        };
        piece.advance(mem::take(&mut self.written));
        self.full.push_back(piece);
    }

    /// Writes with `write` until all is written, it would block, or `most` bytes are written, which are counted down.
    /// `write` is also told whether these are all.
    pub(super) fn write_with(
        &mut self,
        most: &mut usize,
        mut write: impl FnMut(&[IoSlice<'_>], bool) -> io::Result<usize>,
    ) -> io::Result<()> {
        while self.len > 0 && *most > 0 {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let len = self.len;
            let mut limited = Buf::take(&mut *self, *most);
            let count = limited.chunks_vectored(&mut slices);
            let slices = &slices[..count];
            let is_all = slices.iter().map(|slice| slice.len()).sum::<usize>() == len;
            match write(slices, is_all)? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                n => {
                    limited.advance(n);
                    *most -= n;
                }
            }
        }
        Ok(())
    }

    /// Drops everything and gives the memory back.
    pub(super) fn clear(&mut self) {
        let Self { last, .. } = mem::take(self);
        buffer_pool::give(last);
    }
}

impl Buf for OutQueue {
    fn remaining(&self) -> usize {
        self.len
    }

    fn chunk(&self) -> &[u8] {
        self.full
            .front()
            .map_or(&self.last[self.written..], |first| first)
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let last = &self.last[self.written..];
        let last = Some(last).filter(|bytes| !bytes.is_empty());
        let pieces = self.full.iter().map(|bytes| &bytes[..]).chain(last);
        let mut count = 0;
        for (slice, bytes) in slices.iter_mut().zip(pieces) {
            *slice = IoSlice::new(bytes);
            count += 1;
        }
        count
    }

    fn advance(&mut self, mut n: usize) {
        self.len -= n;
        if self.len == 0 {
            self.clear();
            return;
        }
        while let Some(first) = self.full.front_mut() {
            if n < first.len() {
                first.advance(n);
                return;
            }
            n -= first.len();
            self.full.pop_front();
        }
        self.written += n;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue_of(parts: &[&[u8]]) -> OutQueue {
        let mut queue = OutQueue::default();
        for part in parts {
            queue.append(part.len(), |out| out.extend_from_slice(part));
        }
        queue
    }

    /// Takes at most `step` bytes a write.
    fn drain(queue: &mut OutQueue, step: usize) -> Vec<u8> {
        let mut all = Vec::new();
        let len = queue.len();
        queue
            .write_with(&mut { usize::MAX }, |slices, is_all| {
                let length: usize = slices.iter().map(|slice| slice.len()).sum();
                assert_eq!(is_all, length == len - all.len());
                let before = all.len();
                all.extend(slices.iter().flat_map(|s| s.iter().copied()).take(step));
                Ok(all.len() - before)
            })
            .unwrap();
        all
    }

    #[test]
    fn has_room_for_a_tick_with_the_second_frame_and_not_with_the_first() {
        let mut queue = queue_of(&[&[1; 40]]);
        assert!(queue.last.capacity() < 100);
        queue.append(40, |out| out.extend_from_slice(&[2; 40]));
        assert_eq!(queue.last.capacity(), MIN_RESERVE);
        assert_eq!(drain(&mut queue, usize::MAX), [[1; 40], [2; 40]].concat());
    }

    #[test]
    fn keeps_order_over_pieces_and_partial_writes() {
        let big = vec![7; PIECE + 3];
        for step in [1, 5, PIECE, usize::MAX] {
            let mut queue = queue_of(&[b"ab", &big, b"cd", b"e"]);
            assert_eq!(queue.len(), PIECE + 8);
            let all = drain(&mut queue, step);
            assert_eq!(&all[..2], b"ab");
            assert_eq!(&all[2..2 + big.len()], &big[..]);
            assert_eq!(&all[2 + big.len()..], b"cde");
            assert!(queue.is_empty());
            assert_eq!(queue.full.capacity(), 0);
            assert_eq!(queue.last.capacity(), 0);
        }
    }

    #[test]
    fn what_a_piece_gave_is_taken_behind_the_rest_of_a_message() {
        let mut queue = OutQueue::default();
        let places = [1_000, 900, 1_000].map(|rest| {
            for len in [rest, PIECE] {
                queue.append(len, |out| out.resize(out.len() + len, 7));
            }
            let place = queue.last.as_ptr();
            assert_eq!(drain(&mut queue, usize::MAX).len(), rest + PIECE);
            place
        });
        assert_eq!(places, [places[0]; 3]);
    }

    #[test]
    fn what_waits_between_the_ends_is_not_on_the_heap() {
        let mut queue = OutQueue::default();
        let mut expected = Vec::new();
        for byte in 0..100 {
            let part = vec![byte; 20_000];
            queue.append(part.len(), |out| out.extend_from_slice(&part));
            expected.extend_from_slice(&part);
        }
        // Only what was mapped begins where a page does: allocators have a header in front of theirs.
        let is_mapped = |piece: &Bytes| piece.as_ptr().addr().is_multiple_of(4096);
        assert!(queue.full.len() > 20);
        assert!(cfg!(not(unix)) || queue.full.iter().skip(1).all(is_mapped));
        assert_eq!(queue.len(), expected.len());
        assert_eq!(drain(&mut queue, 7777), expected);
    }

    #[test]
    fn shared_bytes_keep_their_place_and_are_there_once() {
        let long = Bytes::from(vec![7; SHARED]);
        let short = Bytes::from_static(b"short");
        let mut queues = [queue_of(&[b"ab"]), OutQueue::default()];
        for queue in &mut queues {
            queue.append_shared(&long);
            queue.append_shared(&short);
            queue.append(2, |out| out.extend_from_slice(b"cd"));
            queue.append_shared(&long);
            let pieces = queue.full.iter().map(|piece| piece.as_ptr());
            let shared = pieces.filter(|piece| *piece == long.as_ptr());
            assert_eq!(shared.count(), 2);
        }
        for (queue, start) in queues.iter_mut().zip([b"ab".as_slice(), b""]) {
            let expected = [start, &long[..], b"shortcd", &long[..]].concat();
            assert_eq!(queue.len(), expected.len());
            assert_eq!(drain(queue, 1000), expected);
        }
        assert!(long.is_unique());
    }

    #[test]
    fn no_more_is_written_than_wanted() {
        let big = vec![7; PIECE];
        let mut queue = queue_of(&[b"ab", &big, &big]);
        let mut most = PIECE + 4;
        let mut lengths = Vec::new();
        let mut write = |slices: &[IoSlice<'_>], _| {
            let length: usize = slices.iter().map(|slice| slice.len()).sum();
            lengths.push(length);
            Ok(length.min(PIECE))
        };
        queue.write_with(&mut most, &mut write).expect("no error");
        assert_eq!(most, 0);
        assert_eq!(queue.len(), PIECE - 2);
        assert_eq!(lengths, [PIECE + 4, 4]);
    }

    #[test]
    fn a_blocked_write_keeps_the_rest() {
        let mut queue = queue_of(&[b"hello"]);
        let mut first = true;
        let result = queue.write_with(&mut 9, |_, _| {
            if std::mem::take(&mut first) {
                Ok(2)
            } else {
                Err(io::ErrorKind::WouldBlock.into())
            }
        });
        assert_eq!(result.unwrap_err().kind(), io::ErrorKind::WouldBlock);
        assert_eq!(queue.len(), 3);
        assert_eq!(drain(&mut queue, 9), b"llo");
    }
}
