//! What a connection has still to write.

use std::collections::VecDeque;

use crate::engine::out_queue::OutQueue;
use crate::protocol::{Bits, Endpoint};

/// How a frame is to be made.
#[derive(Clone, Copy)]
pub(super) struct Sending {
    pub(super) bits: Bits,
    pub(super) key: [u8; 4],
}

/// Something that waits until a message in front of it is compressed.
pub(super) struct Waiting {
    pub(super) bytes: Vec<u8>,
    /// A payload to frame; `None` for bytes as they are.
    pub(super) sending: Option<Sending>,
    /// Somebody asked for its ticket.
    is_awaited: bool,
}

/// The state of the writing side.
#[derive(Default)]
pub(super) struct Output {
    pub(super) queue: OutQueue,
    /// Bytes ever put into the queue, and those of them that never left.
    queued: u64,
    lost: u64,
    /// Sends and writes so far, and those of them whose bytes are in the queue or beyond.
    sent: u64,
    queued_tickets: u64,
    /// Where the bytes of awaited tickets end: (position, ticket).
    awaited: VecDeque<(u64, u64)>,
    /// A message is being compressed elsewhere, and what is behind it.
    deflating: bool,
    deflating_awaited: bool,
    behind: VecDeque<Waiting>,
}

impl Output {
    /// Nothing is to be written, now or later.
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty() && !self.deflating
    }

    pub(super) fn is_deflating(&self) -> bool {
        self.deflating
    }

    pub(super) fn pending(&self) -> usize {
        self.queue.len()
    }

    pub(super) fn bytes_written(&self) -> u64 {
        self.queued - self.lost - self.queue.len() as u64
    }

    /// Adds bytes that are already with the kernel.
    pub(super) fn count_direct(&mut self, length: usize) {
        self.queued += length as u64;
    }

    /// Adds what one send or write is made of.
    pub(super) fn put(&mut self, append: impl FnOnce(&mut Vec<u8>)) {
        self.sent += 1;
        self.append(append);
    }

    /// Adds to the queue what has a ticket already.
    pub(super) fn append(&mut self, append: impl FnOnce(&mut Vec<u8>)) {
        let before = self.queue.len();
        self.queue.append(append);
        self.queued += (self.queue.len() - before) as u64;
        self.queued_tickets += 1;
    }

    /// Keeps a send or write for the time when the message in front of it is compressed.
    pub(super) fn wait(&mut self, bytes: Vec<u8>, sending: Option<Sending>) {
        self.sent += 1;
        self.behind.push_back(Waiting {
            bytes,
            sending,
            is_awaited: false,
        });
    }

    /// A send is being compressed elsewhere.
    pub(super) fn begin_deflation(&mut self) {
        self.sent += 1;
        self.deflating = true;
    }

    /// The frame that was made of it.
    pub(super) fn end_deflation(&mut self, frame: &[u8]) {
        self.deflating = false;
        self.append(|out| out.extend_from_slice(frame));
        if std::mem::take(&mut self.deflating_awaited) {
            self.await_last();
        }
    }

    /// The next of those that waited, unless a message is being compressed again.
    pub(super) fn next_waiting(&mut self) -> Option<Waiting> {
        if self.deflating {
            return None;
        }
        let next = self.behind.pop_front();
        if next.is_none() {
            self.behind = VecDeque::new();
        }
        next
    }

    /// Adds one that waited; its payload is compressed if so.
    pub(super) fn append_waiting(&mut self, waiting: &Waiting, endpoint: Option<&mut Endpoint>) {
        self.append(|out| match (waiting.sending, endpoint) {
            (Some(Sending { bits, key }), Some(endpoint)) => {
                endpoint.frame(out, &waiting.bytes, bits, key);
            }
            _ => out.extend_from_slice(&waiting.bytes),
        });
        if waiting.is_awaited {
            self.await_last();
        }
    }

    /// Keeps the promise of a ticket that waits, now that it is being compressed.
    pub(super) fn begin_waiting_deflation(&mut self, waiting: &Waiting) {
        self.deflating = true;
        self.deflating_awaited = waiting.is_awaited;
    }

    fn await_last(&mut self) {
        self.awaited.push_back((self.queued, self.queued_tickets));
    }

    pub(super) fn ticket(&mut self) -> u64 {
        if let Some(last) = self.behind.back_mut() {
            last.is_awaited = true;
        } else if self.deflating {
            self.deflating_awaited = true;
        } else {
            self.await_last();
        }
        self.sent
    }

    pub(super) fn written(&mut self) -> u64 {
        let position = self.bytes_written();
        let mut written = 0;
        while let Some((end, ticket)) = self.awaited.front()
            && *end <= position
        {
            written = *ticket;
            self.awaited.pop_front();
        }
        if self.awaited.is_empty() {
            self.awaited = VecDeque::new();
        }
        written
    }

    /// The socket is closed: what was not written never will be.
    pub(super) fn lose(&mut self) {
        self.lost += self.queue.len() as u64;
        self.queue.clear();
        self.behind = VecDeque::new();
    }
}
