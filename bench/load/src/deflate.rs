//! permessage-deflate (RFC 7692).

use std::rc::Rc;
use std::str::FromStr;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};

use crate::Failure;
use crate::frame::{self, Frames, Header};
use crate::tape::Tape;

/// What ends each compressed message and is not sent (section 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// Bytes of history a compressor refers to.
const WINDOW: usize = 32 * 1024;

/// Whether contexts are carried over from message to message, both ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deflate {
    /// They are.
    Takeover,
    /// Each message begins anew.
    NoTakeover,
}

impl FromStr for Deflate {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        match name {
            "takeover" => Ok(Self::Takeover),
            "none" => Ok(Self::NoTakeover),
            _ => Err(()),
        }
    }
}

impl Deflate {
    /// What the request offers.
    pub fn offer(self) -> &'static str {
        match self {
            Self::Takeover => "permessage-deflate",
            Self::NoTakeover => {
                "permessage-deflate; client_no_context_takeover; server_no_context_takeover"
            }
        }
    }

    /// Fails unless `response` is what was offered.
    pub fn check(self, response: Option<&str>) -> Result<(), Failure> {
        let response = response.unwrap_or_default();
        let resets = response.contains("no_context_takeover");
        if response.starts_with("permessage-deflate") && resets == (self == Self::NoTakeover) {
            Ok(())
        } else {
            Err(format!("not negotiated: {response:?}").into())
        }
    }

    /// How many messages of `size` bytes make a tape whose history is the same in every turn.
    pub fn turn(size: usize) -> usize {
        (2 * WINDOW).div_ceil(size).max(16)
    }

    /// The masked, compressed frames of `messages`. A carried over context makes the first turn of the tape different
    /// from all others: those have the end of the tape behind them, always the same.
    pub fn tape(self, first: u8, messages: &[Vec<u8>]) -> Result<Rc<Tape>, Failure> {
        let turns = if self == Self::Takeover { 2 } else { 1 };
        let mut compress = Compress::new(Compression::new(6), false);
        let mut frames = Vec::new();
        for message in messages.iter().cycle().take(messages.len() * turns) {
            let mut payload = Vec::with_capacity(message.len() + 64);
            compress.compress_vec(message, &mut payload, FlushCompress::Sync)?;
            let body = payload.strip_suffix(&TAIL).ok_or("no flush at the end")?;
            let mut bytes = Vec::new();
            frame::push(&mut bytes, first | frame::RSV1, body, Some(frame::KEY));
            frames.push(bytes);
            if self == Self::NoTakeover {
                compress.reset();
            }
        }
        Ok(Tape::new(frames, messages.len() * (turns - 1)))
    }
}

/// Inflates echoes and compares them with what was sent.
pub struct Inflater {
    deflate: Deflate,
    first: u8,
    messages: Rc<Vec<Vec<u8>>>,
    next: usize,
    inflate: Decompress,
    frames: Frames,
    inflated: Vec<u8>,
}

impl Inflater {
    /// For echoes of `messages`, again and again, in frames that begin with `first` and RSV1.
    pub fn new(deflate: Deflate, first: u8, messages: &Rc<Vec<Vec<u8>>>) -> Self {
        Self {
            deflate,
            first,
            messages: Rc::clone(messages),
            next: 0,
            inflate: Decompress::new(false),
            frames: Frames::default(),
            inflated: Vec::with_capacity(messages[0].len() + 64),
        }
    }

    /// Takes bytes. Returns how many messages they end.
    pub fn expect(&mut self, bytes: &[u8]) -> Result<usize, Failure> {
        let mut frames = std::mem::take(&mut self.frames);
        let ended = frames.take(bytes, |header, payload| self.check(header, payload));
        self.frames = frames;
        ended
    }

    fn check(&mut self, header: Header, payload: &[u8]) -> Result<(), Failure> {
        if header.first != self.first | frame::RSV1 {
            return Err(format!("a frame that begins with {:02x}", header.first).into());
        }
        self.inflated.clear();
        for part in [payload, &TAIL] {
            let flush = FlushDecompress::Sync;
            self.inflate
                .decompress_vec(part, &mut self.inflated, flush)?;
        }
        if self.inflated != self.messages[self.next] {
            return Err(format!("message {} is wrong", self.next).into());
        }
        self.next = (self.next + 1) % self.messages.len();
        if self.deflate == Deflate::NoTakeover {
            self.inflate.reset(false);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Content;
    use crate::tape::Cursor;

    #[test]
    fn a_tape_inflates_for_ever() {
        for deflate in [Deflate::Takeover, Deflate::NoTakeover] {
            let messages = Content::Json.messages(4096, Deflate::turn(4096));
            let tape = deflate.tape(frame::TEXT, &messages).unwrap();
            let mut inflater = Inflater::new(deflate, frame::TEXT, &Rc::new(messages));
            let mut cursor = Cursor::new(&tape, 0);
            for _ in 0..100 {
                let mut bytes = cursor.slices(1)[0].to_vec();
                assert_eq!(cursor.advance(bytes.len()), 1);
                let header = Header::parse(&bytes).unwrap();
                frame::mask(&mut bytes[header.size..], frame::KEY);
                bytes.drain(header.size - 4..header.size);
                bytes[1] &= 0x7f;
                assert_eq!(inflater.expect(&bytes).unwrap(), 1);
            }
        }
    }
}
