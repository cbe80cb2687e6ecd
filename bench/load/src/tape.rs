//! Endless streams of frames, made beforehand.

use std::io::IoSlice;
use std::rc::Rc;

/// Frames that are played to the end, then again from `repeat` on.
pub struct Tape {
    bytes: Vec<u8>,
    /// Where each frame starts, and where the last one ends.
    starts: Vec<usize>,
    repeat: usize,
}

impl Tape {
    /// A tape of these frames.
    pub fn new(frames: impl IntoIterator<Item = Vec<u8>>, repeat: usize) -> Rc<Self> {
        let mut bytes = Vec::new();
        let mut starts = vec![0];
        for frame in frames {
            bytes.extend_from_slice(&frame);
            starts.push(bytes.len());
        }
        Rc::new(Self {
            bytes,
            starts,
            repeat,
        })
    }

    fn frames(&self) -> usize {
        self.starts.len() - 1
    }
}

/// A place on a tape.
pub struct Cursor {
    tape: Rc<Tape>,
    frame: usize,
    position: usize,
}

impl Cursor {
    /// The beginning of the frame `frame`, modulo the number of frames.
    pub fn new(tape: &Rc<Tape>, frame: usize) -> Self {
        let frame = frame % tape.frames();
        Self {
            tape: Rc::clone(tape),
            frame,
            position: tape.starts[frame],
        }
    }

    /// The next bytes, up to the end of the frame that is `count` frames ahead; a second slice where the tape is
    /// rewound. Not more than one turn of the tape.
    pub fn slices(&self, count: usize) -> [IoSlice<'_>; 2] {
        let tape = &*self.tape;
        let until = self.frame + count;
        let wrapped = (tape.repeat + until.saturating_sub(tape.frames())).min(tape.frames());
        [
            IoSlice::new(&tape.bytes[self.position..tape.starts[until.min(tape.frames())]]),
            IoSlice::new(&tape.bytes[tape.starts[tape.repeat]..tape.starts[wrapped]]),
        ]
    }

    /// Moves on by `bytes`. Returns how many frames were ended by that.
    pub fn advance(&mut self, mut bytes: usize) -> usize {
        let mut ended = 0;
        loop {
            let left = self.tape.starts[self.frame + 1] - self.position;
            if bytes < left {
                self.position += bytes;
                return ended;
            }
            bytes -= left;
            ended += 1;
            self.frame += 1;
            if self.frame == self.tape.frames() {
                self.frame = self.tape.repeat;
            }
            self.position = self.tape.starts[self.frame];
        }
    }

    /// Moves on over `bytes`, which must be those of the tape. Returns how many frames were ended by that, or where
    /// they differ.
    pub fn expect(&mut self, mut bytes: &[u8]) -> Result<usize, String> {
        let mut ended = 0;
        while !bytes.is_empty() {
            let expected = &self.tape.bytes[self.position..];
            let length = expected.len().min(bytes.len());
            if bytes[..length] != expected[..length] {
                return Err(self.difference(bytes));
            }
            ended += self.advance(length);
            bytes = &bytes[length..];
        }
        Ok(ended)
    }

    fn difference(&self, bytes: &[u8]) -> String {
        let expected = &self.tape.bytes[self.position..];
        let same = expected.iter().zip(bytes).take_while(|(a, b)| a == b);
        let at = same.count();
        let show = |bytes: &[u8]| format!("{:02x?}", &bytes[at..bytes.len().min(at + 16)]);
        let (expected, got) = (show(expected), show(bytes));
        format!("the echo is wrong: {got} instead of {expected}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tape() -> Rc<Tape> {
        Tape::new([b"ab".to_vec(), b"cde".to_vec(), b"f".to_vec()], 1)
    }

    #[test]
    fn slices_wrap() {
        let mut cursor = Cursor::new(&tape(), 0);
        assert_eq!(&*cursor.slices(1)[0], b"ab");
        assert_eq!(&*cursor.slices(4)[0], b"abcdef");
        assert_eq!(&*cursor.slices(4)[1], b"cde");
        assert_eq!(cursor.advance(7), 3);
        assert_eq!(&*cursor.slices(1)[0], b"de");
        assert_eq!(cursor.advance(3), 2);
        assert_eq!(&*cursor.slices(2)[0], b"cdef");
    }

    #[test]
    fn what_differs_is_told() {
        let mut cursor = Cursor::new(&tape(), 0);
        assert_eq!(cursor.expect(b"abcdefcdefc"), Ok(5));
        assert!(cursor.expect(b"de?").is_err());
    }
}
