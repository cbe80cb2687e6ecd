//! Bytes that wait for the kernel.

use std::collections::VecDeque;
use std::io::{self, Cursor, IoSlice};

use bytes::Buf;

/// A segment this long takes no more frames: what was written of a long queue is given back piece by piece.
const SEGMENT: usize = 64 * 1024;

/// Slices of one write: Linux takes up to 1024, a few carry all that a socket buffer holds.
const SLICES: usize = 16;

/// A queue of bytes in segments. Holds no memory while empty.
#[derive(Default)]
pub(super) struct OutQueue {
    segments: VecDeque<Cursor<Vec<u8>>>,
    len: usize,
}

impl OutQueue {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Lets `append` add bytes at the end.
    pub(super) fn append<T>(&mut self, append: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        if self
            .segments
            .back()
            .is_none_or(|last| last.get_ref().len() >= SEGMENT)
        {
            self.segments.push_back(Cursor::default());
        }
        let Some(last) = self.segments.back_mut() else {
            unreachable!("a segment was just added")
        };
        let last = last.get_mut();
        let before = last.len();
        let result = append(last);
        self.len += last.len() - before;
        result
    }

    /// Writes with `write` until all is written or it would block.
    pub(super) fn write_with(
        &mut self,
        mut write: impl FnMut(&[IoSlice<'_>]) -> io::Result<usize>,
    ) -> io::Result<()> {
        while self.len > 0 {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let mut count = 0;
            for (slice, segment) in slices.iter_mut().zip(&self.segments) {
                *slice = IoSlice::new(segment.chunk());
                count += 1;
            }
            match write(&slices[..count])? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                n => self.consume(n),
            }
        }
        Ok(())
    }

    fn consume(&mut self, mut n: usize) {
        self.len -= n;
        if self.len == 0 {
            self.clear();
            return;
        }
        while let Some(first) = self.segments.front_mut() {
            let left = first.remaining();
            if n < left {
                first.advance(n);
                return;
            }
            n -= left;
            self.segments.pop_front();
        }
    }

    /// Drops everything and gives the memory back.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue_of(parts: &[&[u8]]) -> OutQueue {
        let mut queue = OutQueue::default();
        for part in parts {
            queue.append(|out| out.extend_from_slice(part));
        }
        queue
    }

    /// Takes at most `step` bytes a write.
    fn drain(queue: &mut OutQueue, step: usize) -> Vec<u8> {
        let mut all = Vec::new();
        queue
            .write_with(|slices| {
                let bytes: Vec<u8> = slices.iter().flat_map(|s| s.iter().copied()).collect();
                let n = bytes.len().min(step);
                all.extend_from_slice(&bytes[..n]);
                Ok(n)
            })
            .unwrap();
        all
    }

    #[test]
    fn keeps_order_over_segments_and_partial_writes() {
        let big = vec![7; SEGMENT + 3];
        for step in [1, 5, SEGMENT, usize::MAX] {
            let mut queue = queue_of(&[b"ab", &big, b"cd", b"e"]);
            assert_eq!(queue.len(), SEGMENT + 8);
            let all = drain(&mut queue, step);
            assert_eq!(&all[..2], b"ab");
            assert_eq!(&all[2..2 + big.len()], &big[..]);
            assert_eq!(&all[2 + big.len()..], b"cde");
            assert!(queue.is_empty());
            assert_eq!(queue.segments.capacity(), 0);
        }
    }

    #[test]
    fn a_blocked_write_keeps_the_rest() {
        let mut queue = queue_of(&[b"hello"]);
        let mut first = true;
        let result = queue.write_with(|_| {
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
