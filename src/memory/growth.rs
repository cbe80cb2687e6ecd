//! How a buffer grows that a peer fills.

/// What a first piece of a message may reserve at least, so that short ones do not grow twice.
const MIN_RESERVE: usize = 256;

/// Makes room for `additional` bytes. Room beyond that is at most what is already there, and at most
/// what is outstanding: what a peer claims is not reserved before it has sent half.
pub(crate) fn reserve(buffer: &mut Vec<u8>, additional: usize, outstanding: u64) {
    let needed = buffer.len() + additional;
    if needed > buffer.capacity() {
        let grown = needed.saturating_mul(2).max(MIN_RESERVE);
        let outstanding = usize::try_from(outstanding).unwrap_or(usize::MAX);
        let target = grown.min(buffer.len().saturating_add(outstanding));
        buffer.reserve_exact(target - buffer.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_amortised_and_never_above_what_is_outstanding() {
        let mut buffer = Vec::new();
        reserve(&mut buffer, 1, 1 << 52);
        assert_eq!(buffer.capacity(), MIN_RESERVE);
        reserve(&mut buffer, 1000, 1 << 52);
        assert_eq!(buffer.capacity(), 2000);
        buffer.resize(2000, 0);
        reserve(&mut buffer, 10, 30);
        assert_eq!(buffer.capacity(), 2030);
    }
}
