//! The words that JavaScript reads events from.

use std::cell::Cell;

use napi::{Result, sys};

use crate::engine::{Batch, Place};
use crate::node::raw::words::Words;

/// Records that fit.
pub(crate) const RECORDS: usize = 256;
/// Words of a record: kind, place and flags; offset; length; value.
const WORDS: usize = 4;
/// Words before the first record: flags.
const HEADER: usize = 1;
/// They had been read before their socket was closed.
pub(crate) const EARLIER_READ: u32 = 1;
/// More of the chunk whose events the call before brought a part of.
pub(crate) const CONTINUED: u32 = 2;

/// The records of the events that the dispatch function is called with.
pub(crate) struct Records {
    words: Words,
    /// How many words a running call of the dispatch function may still read.
    used: Cell<usize>,
}

impl Records {
    pub(crate) fn new(env: sys::napi_env) -> Result<Self> {
        Ok(Self {
            words: Words::new(env, HEADER + RECORDS * WORDS)?,
            used: Cell::new(0),
        })
    }

    /// What JavaScript sees.
    pub(crate) fn value(&self, env: sys::napi_env) -> Result<sys::napi_value> {
        self.words.value(env)
    }

    /// Lets go of the words: nobody writes any more.
    pub(crate) fn release(&self, env: sys::napi_env) {
        self.words.release(env);
    }

    /// Begins to write records for calls of the dispatch function. Those of a call that these interrupt come back at the
    /// end. `flags` are those of the first call.
    pub(crate) fn begin(&self, flags: u32) -> Writing<'_> {
        let interrupted = self.words.copy_of(self.used.get());
        self.words.set(0, [flags]);
        self.used.set(HEADER);
        Writing {
            records: self,
            flags,
            interrupted,
        }
    }
}

/// The records of events whose payloads lie in the chunk that JavaScript has. It reads them before it does anything else.
pub(crate) struct ChunkRecords(Words);

impl ChunkRecords {
    pub(crate) fn new(env: sys::napi_env) -> Result<Self> {
        Words::new(env, RECORDS * WORDS).map(Self)
    }

    /// What JavaScript sees.
    pub(crate) fn value(&self, env: sys::napi_env) -> Result<sys::napi_value> {
        self.0.value(env)
    }

    /// Lets go of the words: nobody writes any more.
    pub(crate) fn release(&self, env: sys::napi_env) {
        self.0.release(env);
    }

    /// Writes those of all events of a batch, if there is room.
    pub(crate) fn set(&self, batch: &Batch) -> bool {
        if batch.events.len() > RECORDS {
            return false;
        }
        for (index, event) in batch.events.iter().enumerate() {
            if let Place::Arena(range) = &event.place {
                let record = [
                    event.kind as u32,
                    range.start as u32,
                    range.len() as u32,
                    event.value,
                ];
                self.0.set(index * WORDS, record);
            }
        }
        true
    }
}

/// The records of the calls that one delivery makes.
pub(crate) struct Writing<'a> {
    records: &'a Records,
    flags: u32,
    interrupted: Vec<u32>,
}

impl Writing<'_> {
    /// The next call brings more of the same chunk.
    pub(crate) fn go_on(&self) {
        self.records.words.set(0, [self.flags | CONTINUED]);
    }

    /// Writes the record `index`; it and those before it are in use.
    pub(crate) fn set(&self, index: usize, record: [u32; WORDS]) {
        let start = HEADER + index * WORDS;
        self.records.words.set(start, record);
        self.records.used.set(start + WORDS);
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.records.words.restore(&self.interrupted);
        self.records.used.set(self.interrupted.len());
    }
}
