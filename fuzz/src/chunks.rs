//! How bytes are cut.

/// Cuts bytes into pieces.
#[derive(Clone, Debug)]
pub enum Chunks {
    /// All at once.
    Whole,
    /// Byte by byte.
    Bytes,
    /// At places that follow from the state of a xorshift generator.
    Random(u32),
}

impl Chunks {
    /// Mostly short pieces, now and then a long one.
    pub fn random(seed: u8) -> Self {
        Self::Random(u32::from(seed) * 0x9e37 + 1)
    }

    /// The length of the next piece of `left` bytes.
    pub fn next(&mut self, left: usize) -> usize {
        let length = match self {
            Self::Whole => left,
            Self::Bytes => 1,
            Self::Random(state) => {
                *state ^= *state << 13;
                *state ^= *state >> 17;
                *state ^= *state << 5;
                let most = [3, 9, 40, 5000][*state as usize >> 30];
                1 + *state as usize % most
            }
        };
        length.min(left)
    }
}
