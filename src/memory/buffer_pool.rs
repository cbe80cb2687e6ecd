//! Memory of large messages, kept for the next ones.
//!
//! Allocators give blocks of this size back to the system, above all when another thread frees them, and getting its
//! zeroed pages again costs more than copying the message.

use std::sync::{Mutex, PoisonError};

/// The capacities that are kept, in bytes: shorter ones an allocator keeps itself, longer ones are rare.
const KEPT: std::ops::RangeInclusive<usize> = 32 * 1024..=4 * 1024 * 1024;

/// The most that is kept in this process, in bytes.
const MAX_TOTAL: usize = 8 * 1024 * 1024;

static SPARE: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// An empty vector with room for `len` bytes; without any if none is kept that is large enough.
pub(crate) fn take(len: u64) -> Vec<u8> {
    if len < *KEPT.start() as u64 {
        return Vec::new();
    }
    let mut spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
    let fitting = spare.iter().enumerate();
    let smallest = fitting
        .filter(|(_, buffer)| buffer.capacity() as u64 >= len)
        .min_by_key(|(_, buffer)| buffer.capacity());
    match smallest.map(|(index, _)| index) {
        Some(index) => spare.swap_remove(index),
        None => Vec::new(),
    }
}

/// Keeps the memory of a vector that is done with, if it is worth it.
pub(crate) fn give(mut buffer: Vec<u8>) {
    if !KEPT.contains(&buffer.capacity()) {
        return;
    }
    buffer.clear();
    let mut spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
    let total: usize = spare.iter().map(Vec::capacity).sum();
    if total + buffer.capacity() <= MAX_TOTAL {
        spare.push(buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_so_much_and_gives_what_fits() {
        // Other tests may take and give meanwhile: this one looks only at its own vectors, which nobody else asks for.
        let (small, large) = (3_000_001, 3_000_100);
        give(Vec::with_capacity(large));
        give(Vec::with_capacity(small));
        let taken = take(small as u64);
        assert!(taken.is_empty());
        assert_eq!(taken.capacity(), small);
        assert_eq!(take(small as u64 + 1).capacity(), large);
        assert_eq!(take(large as u64 + 1).capacity(), 0);
        assert_eq!(take(KEPT.end().saturating_add(1) as u64).capacity(), 0);
        for _ in 0..100 {
            give(Vec::with_capacity(small));
        }
        let spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(spare.iter().map(Vec::capacity).sum::<usize>() <= MAX_TOTAL);
    }

    #[test]
    fn keeps_neither_small_nor_huge_ones() {
        give(Vec::with_capacity(KEPT.start() - 1));
        give(Vec::with_capacity(KEPT.end() + 1));
        let spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(spare.iter().all(|buffer| KEPT.contains(&buffer.capacity())));
    }
}
