//! Masking of payloads (RFC 6455, section 5.3) and the keys for it.

use std::cell::RefCell;

/// What the compiler turns into a few vector instructions.
const LANES: usize = 32;

/// Bytes that [`append`] copies before it masks them, so that they are still in the first cache.
const BLOCK: usize = 8 * 1024;

/// The key for the bytes from `offset` on.
pub fn rotate(mut key: [u8; 4], offset: usize) -> [u8; 4] {
    key.rotate_left(offset % 4);
    key
}

/// Masks or unmasks in place. `offset` is the place of `data[0]` in the payload.
///
/// > octet i of the transformed data ("transformed-octet-i") is the XOR of octet i of the original
/// > data with octet at index i modulo 4 of the masking key
pub fn apply(key: [u8; 4], offset: usize, data: &mut [u8]) {
    if key == [0; 4] {
        return;
    }
    let key = rotate(key, offset);
    let mut wide = [0; LANES];
    for quarter in wide.chunks_exact_mut(4) {
        quarter.copy_from_slice(&key);
    }
    let mut blocks = data.chunks_exact_mut(LANES);
    for block in &mut blocks {
        for (byte, mask) in block.iter_mut().zip(&wide) {
            *byte ^= mask;
        }
    }
    for (byte, mask) in blocks.into_remainder().iter_mut().zip(&wide) {
        *byte ^= mask;
    }
}

/// Appends `source`, masked or unmasked, to `target`. `source[0]` begins a payload.
pub fn append(key: [u8; 4], source: &[u8], target: &mut Vec<u8>) {
    target.reserve(source.len());
    for block in source.chunks(BLOCK) {
        let start = target.len();
        target.extend_from_slice(block);
        apply(key, 0, &mut target[start..]);
    }
}

/// Random bytes that were drawn at once and are handed out four by four.
struct Pool {
    bytes: [u8; 4096],
    used: usize,
}

thread_local! {
    static POOL: RefCell<Pool> = const {
        RefCell::new(Pool { bytes: [0; 4096], used: 4096 })
    };
}

/// A key for one frame.
///
/// > The masking key needs to be unpredictable; thus, the masking key MUST be derived from a strong
/// > source of entropy
///
/// # Panics
/// If the operating system has no random bytes to give.
pub fn random_key() -> [u8; 4] {
    POOL.with_borrow_mut(|pool| {
        if pool.used == pool.bytes.len() {
            getrandom::fill(&mut pool.bytes).expect("the system has a source of randomness");
            pool.used = 0;
        }
        let start = pool.used;
        pool.used += 4;
        [
            pool.bytes[start],
            pool.bytes[start + 1],
            pool.bytes[start + 2],
            pool.bytes[start + 3],
        ]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

    /// The definition, byte by byte.
    fn transformed(key: [u8; 4], offset: usize, data: &[u8]) -> Vec<u8> {
        let octet = |(i, byte): (usize, &u8)| byte ^ key[(offset + i) % 4];
        data.iter().enumerate().map(octet).collect()
    }

    fn bytes(len: usize) -> Vec<u8> {
        (0..len).map(|i| (i * 7 + i / 256) as u8).collect()
    }

    #[test]
    fn masks_by_the_definition_at_every_length_and_offset() {
        for len in 0..200 {
            for offset in 0..9 {
                let mut data = bytes(len);
                apply(KEY, offset, &mut data);
                assert_eq!(data, transformed(KEY, offset, &bytes(len)));
            }
        }
    }

    #[test]
    fn masks_at_every_alignment() {
        for start in 0..40 {
            let mut data = bytes(300);
            apply(KEY, 0, &mut data[start..]);
            assert_eq!(data[..start], bytes(300)[..start]);
            assert_eq!(data[start..], transformed(KEY, 0, &bytes(300)[start..]));
        }
    }

    #[test]
    fn appends_what_apply_would_make() {
        for len in [0, 1, 31, 32, 33, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 5] {
            let mut target = b"before".to_vec();
            append(KEY, &bytes(len), &mut target);
            assert_eq!(target[..6], *b"before");
            assert_eq!(target[6..], transformed(KEY, 0, &bytes(len)));
        }
    }

    #[test]
    fn rotates_the_key_to_an_offset() {
        assert_eq!(rotate([1, 2, 3, 4], 0), [1, 2, 3, 4]);
        assert_eq!(rotate([1, 2, 3, 4], 1), [2, 3, 4, 1]);
        assert_eq!(rotate([1, 2, 3, 4], 7), [4, 1, 2, 3]);
    }

    #[test]
    fn keys_differ() {
        // More than a pool holds; about one pair in 2^32 may be equal.
        let mut keys: Vec<[u8; 4]> = (0..3000).map(|_| random_key()).collect();
        keys.sort_unstable();
        keys.dedup();
        assert!(keys.len() > 2990);
    }
}
