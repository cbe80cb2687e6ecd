//! Bytes that wait for the kernel.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::mem;

use bytes::Bytes;

use crate::memory::buffer_pool;
use crate::memory::mmap_buffer::MmapBuffer;

/// A segment this long takes no more frames: what was written of a long queue is given back piece by piece.
const SEGMENT: usize = 64 * 1024;

/// Bytes of several queues that are fewer than this are copied into each of them: that costs less than a segment.
const SHARED: usize = 4 * 1024;

/// Slices of one write: Linux takes up to 1024, a few carry all that a socket buffer holds.
const SLICES: usize = 16;

/// Bytes in a row.
struct Segment {
    bytes: Store,
    /// So many of them are written.
    done: usize,
}

enum Store {
    Heap(Vec<u8>),
    /// It waits for longer.
    Pages(MmapBuffer),
    /// Other queues have it, too.
    Shared(Bytes),
}

impl Segment {
    fn new(bytes: Vec<u8>) -> Self {
        Self {
            bytes: Store::Heap(bytes),
            done: 0,
        }
    }

    /// Moves to pages; returns the memory that is free then.
    fn settle(&mut self) -> Vec<u8> {
        let Store::Heap(bytes) = &mut self.bytes else {
            return Vec::new();
        };
        let Some(pages) = MmapBuffer::copy_of(bytes) else {
            return Vec::new();
        };
        let mut free = mem::take(bytes);
        free.clear();
        self.bytes = Store::Pages(pages);
        free
    }

    fn free(self) {
        if let Store::Heap(bytes) = self.bytes {
            buffer_pool::give(bytes);
        }
    }

    fn left(&self) -> &[u8] {
        match &self.bytes {
            Store::Heap(bytes) => &bytes[self.done..],
            Store::Pages(bytes) => &bytes[self.done..],
            Store::Shared(bytes) => &bytes[self.done..],
        }
    }
}

/// A queue of bytes in segments. Holds no memory while empty, and on the heap only its ends: what waits between them lies
/// on pages that go back to the system when it is written, or lost.
#[derive(Default)]
pub(super) struct OutQueue {
    segments: VecDeque<Segment>,
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
        let last = self.last(len);
        let before = last.len();
        append(last);
        let added = last.len() - before;
        self.len += added;
    }

    /// Adds bytes that other queues get as well: however many do, long ones are there once.
    pub(super) fn append_shared(&mut self, bytes: &Bytes) {
        if bytes.len() < SHARED {
            self.append(bytes.len(), |out| out.extend_from_slice(bytes));
        } else {
            self.len += bytes.len();
            self.segments.push_back(Segment {
                bytes: Store::Shared(bytes.clone()),
                done: 0,
            });
        }
    }

    /// The segment that takes more: a new one if the last one is full.
    fn last(&mut self, len: usize) -> &mut Vec<u8> {
        let is_behind = self.segments.len() > 1;
        let next = match self.segments.back_mut() {
            Some(Segment {
                bytes: Store::Heap(bytes),
                ..
            }) if bytes.len() < SEGMENT => None,
            Some(last) if is_behind => Some(last.settle()),
            _ => Some(buffer_pool::take(len as u64)),
        };
        self.segments.extend(next.map(Segment::new));
        match self.segments.back_mut() {
            Some(Segment {
                bytes: Store::Heap(bytes),
                ..
            }) => bytes,
            _ => unreachable!("the last segment is on the heap"),
        }
    }

    /// Writes with `write` until all is written, it would block, or `most` bytes are written, which are counted down.
    pub(super) fn write_with(
        &mut self,
        most: &mut usize,
        mut write: impl FnMut(&[IoSlice<'_>]) -> io::Result<usize>,
    ) -> io::Result<()> {
        while self.len > 0 && *most > 0 {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let mut count = 0;
            let mut room = *most;
            for (slice, segment) in slices.iter_mut().zip(&self.segments) {
                let bytes = segment.left();
                *slice = IoSlice::new(&bytes[..bytes.len().min(room)]);
                count += 1;
                room -= slice.len();
                if room == 0 {
                    break;
                }
            }
            match write(&slices[..count])? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                n => {
                    *most -= n;
                    self.consume(n);
                }
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
            let left = first.left().len();
            if n < left {
                first.done += n;
                return;
            }
            n -= left;
            self.segments
                .pop_front()
                .into_iter()
                .for_each(Segment::free);
        }
    }

    /// Drops everything and gives the memory back.
    pub(super) fn clear(&mut self) {
        let Self { segments, .. } = mem::take(self);
        segments.into_iter().for_each(Segment::free);
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
        queue
            .write_with(&mut { usize::MAX }, |slices| {
                let before = all.len();
                all.extend(slices.iter().flat_map(|s| s.iter().copied()).take(step));
                Ok(all.len() - before)
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
    fn what_waits_between_the_ends_is_not_on_the_heap() {
        let mut queue = OutQueue::default();
        let mut expected = Vec::new();
        for byte in 0..100 {
            let part = vec![byte; 20_000];
            queue.append(part.len(), |out| out.extend_from_slice(&part));
            expected.extend_from_slice(&part);
        }
        let on_heap = |queue: &OutQueue| {
            let is_heap = |segment: &&Segment| matches!(segment.bytes, Store::Heap(_));
            queue.segments.iter().filter(is_heap).count()
        };
        assert!(queue.segments.len() > 20);
        assert_eq!(on_heap(&queue), 2);
        assert_eq!(queue.len(), expected.len());
        assert_eq!(drain(&mut queue, 7777), expected);
        assert_eq!(on_heap(&queue), 0);
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
            let shared = queue.segments.iter().filter_map(|segment| {
                let Store::Shared(bytes) = &segment.bytes else {
                    return None;
                };
                Some(bytes.as_ptr())
            });
            assert!(shared.eq([long.as_ptr(); 2]));
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
        let big = vec![7; SEGMENT];
        let mut queue = queue_of(&[b"ab", &big, &big]);
        let mut most = SEGMENT + 4;
        let mut lengths = Vec::new();
        let mut write = |slices: &[IoSlice<'_>]| {
            let length: usize = slices.iter().map(|slice| slice.len()).sum();
            lengths.push(length);
            Ok(length.min(SEGMENT))
        };
        queue.write_with(&mut most, &mut write).expect("no error");
        assert_eq!(most, 0);
        assert_eq!(queue.len(), SEGMENT - 2);
        assert_eq!(lengths, [SEGMENT + 4, 4]);
    }

    #[test]
    fn a_blocked_write_keeps_the_rest() {
        let mut queue = queue_of(&[b"hello"]);
        let mut first = true;
        let result = queue.write_with(&mut 9, |_| {
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
