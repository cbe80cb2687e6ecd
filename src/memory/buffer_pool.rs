//! Memory of large messages, kept for the next ones.
//!
//! Allocators give blocks of this size back to the system, above all when another thread frees them, and getting its
//! zeroed pages again costs more than copying the message.

use std::mem;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

/// The capacities that are kept, in bytes: shorter ones an allocator keeps itself, longer ones are rare.
const KEPT: std::ops::RangeInclusive<usize> = 32 * 1024..=4 * 1024 * 1024;

/// The most that is kept in this process, in bytes.
const MAX_TOTAL: usize = 8 * 1024 * 1024;

/// That of the process: a message may be freed by another thread than the one that received it.
#[cfg(not(test))]
static POOL: BufferPool = BufferPool::new();

#[cfg(test)]
thread_local! {
    /// Each test has its own: what one gives would change what another one gets.
    static POOL: BufferPool = const { BufferPool::new() };
}

/// An empty vector with room for `len` bytes; without any if none is kept that is large enough.
pub(crate) fn take(len: u64) -> Vec<u8> {
    with_pool(|pool| pool.take(len))
}

/// Keeps the memory of a vector that is done with, if it is worth it.
pub(crate) fn give(buffer: Vec<u8>) {
    with_pool(|pool| pool.give(buffer));
}

/// The bytes of a vector whose memory is kept once nobody has them any more.
pub(crate) fn share(buffer: Vec<u8>) -> Bytes {
    Bytes::from_owner(Pooled(buffer))
}

struct Pooled(Vec<u8>);

impl AsRef<[u8]> for Pooled {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        give(mem::take(&mut self.0));
    }
}

#[cfg(not(test))]
fn with_pool<T>(work: impl FnOnce(&BufferPool) -> T) -> T {
    work(&POOL)
}

#[cfg(test)]
fn with_pool<T>(work: impl FnOnce(&BufferPool) -> T) -> T {
    POOL.with(work)
}

struct BufferPool {
    spare: Mutex<Vec<Vec<u8>>>,
}

impl BufferPool {
    const fn new() -> Self {
        Self {
            spare: Mutex::new(Vec::new()),
        }
    }

    fn take(&self, len: u64) -> Vec<u8> {
        if len < *KEPT.start() as u64 {
            return Vec::new();
        }
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        let fitting = spare.iter().enumerate();
        let smallest = fitting
            .filter(|(_, buffer)| buffer.capacity() as u64 >= len)
            .min_by_key(|(_, buffer)| buffer.capacity());
        match smallest.map(|(index, _)| index) {
            Some(index) => spare.swap_remove(index),
            None => Vec::new(),
        }
    }

    fn give(&self, mut buffer: Vec<u8>) {
        if !KEPT.contains(&buffer.capacity()) {
            return;
        }
        buffer.clear();
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        let total: usize = spare.iter().map(Vec::capacity).sum();
        if total + buffer.capacity() <= MAX_TOTAL {
            spare.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_so_much_and_gives_what_fits() {
        let pool = BufferPool::new();
        let (small, large) = (3_000_001, 3_000_100);
        pool.give(Vec::with_capacity(large));
        pool.give(Vec::with_capacity(small));
        let taken = pool.take(small as u64);
        assert!(taken.is_empty());
        assert_eq!(taken.capacity(), small);
        assert_eq!(pool.take(small as u64 + 1).capacity(), large);
        assert_eq!(pool.take(large as u64 + 1).capacity(), 0);
        assert_eq!(pool.take(KEPT.end().saturating_add(1) as u64).capacity(), 0);
        for _ in 0..100 {
            pool.give(Vec::with_capacity(small));
        }
        let spare = pool.spare.lock().unwrap_or_else(PoisonError::into_inner);
        assert_eq!(spare.iter().map(Vec::capacity).sum::<usize>(), 2 * small);
    }

    #[test]
    fn keeps_neither_small_nor_huge_ones() {
        let pool = BufferPool::new();
        pool.give(Vec::with_capacity(KEPT.start() - 1));
        pool.give(Vec::with_capacity(KEPT.end() + 1));
        assert!(pool.spare.lock().is_ok_and(|spare| spare.is_empty()));
    }
}
