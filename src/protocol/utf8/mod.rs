//! UTF-8 that arrives in pieces.

use std::str;

/// Whether `bytes` is UTF-8 as a whole.
pub fn is_valid(bytes: &[u8]) -> bool {
    simdutf8::basic::from_utf8(bytes).is_ok()
}

/// Validates a text piece by piece and fails at the first byte that no continuation can mend.
#[derive(Clone, Copy, Debug, Default)]
pub struct Utf8Validator {
    /// The character that the last piece ended in the middle of.
    character: [u8; 4],
    len: u8,
}

impl Utf8Validator {
    /// Takes the next piece; false if the text cannot be UTF-8 any more. Then the validator is spent.
    #[must_use]
    pub fn push(&mut self, mut piece: &[u8]) -> bool {
        while self.len > 0 {
            let Some((&byte, rest)) = piece.split_first() else {
                return true;
            };
            self.character[usize::from(self.len)] = byte;
            self.len += 1;
            piece = rest;
            match str::from_utf8(&self.character[..usize::from(self.len)]) {
                Ok(_) => self.len = 0,
                Err(error) if error.error_len().is_none() => {}
                Err(_) => return false,
            }
        }
        let (whole, cut) = piece.split_at(piece.len() - cut_character_len(piece));
        self.character[..cut.len()].copy_from_slice(cut);
        self.len = cut.len() as u8;
        is_valid(whole) && may_begin_a_character(cut)
    }

    /// Whether the text may end here: not in the middle of a character.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.len == 0
    }
}

/// How many bytes at the end of `piece` belong to a character that is not all there.
fn cut_character_len(piece: &[u8]) -> usize {
    for (i, &byte) in piece.iter().rev().take(3).enumerate() {
        let width = match byte {
            0x80..=0xbf => continue,
            0xc0..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xff => 4,
            _ => 1,
        };
        return if width > i + 1 { i + 1 } else { 0 };
    }
    0
}

fn may_begin_a_character(cut: &[u8]) -> bool {
    str::from_utf8(cut).map_or_else(|error| error.error_len().is_none(), |_| true)
}

#[cfg(test)]
mod tests;
