//! What an echo server is sent and what must come back.

use std::rc::Rc;

use crate::Failure;
use crate::content::Content;
use crate::deflate::{Deflate, Inflater};
use crate::frame::{self, Frames};
use crate::settings::Settings;
use crate::tape::{Cursor, Tape};

/// The messages of all connections.
pub struct Script {
    deflate: Option<Deflate>,
    first: u8,
    messages: Rc<Vec<Vec<u8>>>,
    requests: Rc<Tape>,
    /// Not with compression: how a peer compresses is not known beforehand.
    echoes: Option<Rc<Tape>>,
}

impl Script {
    /// For `window` messages under way. Settings: `size`, `content`, `deflate`.
    pub fn new(settings: &Settings, window: usize) -> Result<Self, Failure> {
        /// A tape is about this long, so that it stays in the cache.
        const LENGTH: usize = 256 * 1024;
        let size: usize = settings.get("size")?;
        let content: Content = settings.get("content")?;
        let deflate: Option<Deflate> = settings.find("deflate")?;
        let first = if content.is_text() {
            frame::TEXT
        } else {
            frame::BINARY
        };
        let turn = match deflate {
            Some(_) => Deflate::turn(size).max(window),
            None => (LENGTH / size.max(1)).clamp(2, 64).max(window),
        };
        let messages = Rc::new(content.messages(size, turn));
        let tape = |key| {
            let frame = |message: &Vec<u8>| {
                let mut bytes = Vec::new();
                frame::push(&mut bytes, first, message, key);
                bytes
            };
            Tape::new(messages.iter().map(frame), 0)
        };
        let (requests, echoes) = match deflate {
            Some(deflate) => (deflate.tape(first, &messages)?, None),
            None => (tape(Some(frame::KEY)), Some(tape(None))),
        };
        Ok(Self {
            deflate,
            first,
            messages,
            requests,
            echoes,
        })
    }

    /// The extensions to offer.
    pub fn offer(&self) -> Option<&'static str> {
        self.deflate.map(Deflate::offer)
    }

    /// Fails unless the server agreed to what was offered.
    pub fn check_extensions(&self, response: Option<&str>) -> Result<(), Failure> {
        match self.deflate {
            Some(deflate) => deflate.check(response),
            None => Ok(()),
        }
    }

    /// What a connection sends and expects. They begin at different places, so that a server that mixes them up is
    /// found out.
    pub fn play(&self, index: usize) -> (Cursor, Check) {
        match (self.deflate, &self.echoes) {
            (None, Some(echoes)) => (
                Cursor::new(&self.requests, index),
                Check::Same(Cursor::new(echoes, index)),
            ),
            (deflate, _) => {
                let deflate = deflate.unwrap_or(Deflate::NoTakeover);
                let inflater = Inflater::new(deflate, self.first, &self.messages);
                let begin = Cursor::new(&self.requests, 0);
                (begin, Check::Inflated(Box::new(inflater)))
            }
        }
    }

    /// What one of many connections expects that get the same. Not each of them inflates what comes: that would take this
    /// process longer than the server takes to send it.
    pub fn listen(&self, index: usize) -> Check {
        const INFLATING: usize = 50;
        if self.deflate.is_some() && !index.is_multiple_of(INFLATING) {
            Check::Counted(Frames::default())
        } else {
            self.play(0).1
        }
    }
}

/// What a connection expects.
pub enum Check {
    /// These bytes.
    Same(Cursor),
    /// These messages, compressed.
    Inflated(Box<Inflater>),
    /// Compressed messages, whatever they are.
    Counted(Frames),
}

impl Check {
    /// Takes bytes, which must be the right ones. Returns how many messages they end.
    pub fn expect(&mut self, bytes: &[u8]) -> Result<usize, Failure> {
        match self {
            Self::Same(echoes) => Ok(echoes.expect(bytes)?),
            Self::Inflated(inflater) => inflater.expect(bytes),
            Self::Counted(frames) => frames.take(bytes, |_, _| Ok(())),
        }
    }
}
