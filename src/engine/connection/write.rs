//! What a connection has still to write.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::task::{Context, Poll};

use super::phase::Phase;
use super::state::{State, errno};
use super::{Connection, Flush};
use crate::engine::events::WRITING;
use crate::engine::out_queue::OutQueue;
use crate::protocol::deflate::{DeflateJob, JOB_LEN};
use crate::protocol::frame::{MAX_HEADER_LEN, encode_header};
use crate::protocol::{Endpoint, FrameFlags};

/// An unmasked payload this long goes to the kernel from where it lies.
const DIRECT_WRITE: usize = 16 * 1024;

/// What is written at once while others wait: the lock of the connection, and the driver. Some 100 µs.
const STEP: usize = 512 * 1024;

/// More than the kernel keeps for a socket. A peer that reads meanwhile does not keep us for ever.
const ALL: usize = 16 * 1024 * 1024;

/// How a frame is to be made.
#[derive(Clone, Copy)]
pub(super) struct Sending {
    pub(super) flags: FrameFlags,
    pub(super) key: [u8; 4],
}

/// A send or write that is to be compressed outside of the call, or waits behind one that is.
struct Waiting {
    bytes: Vec<u8>,
    /// A payload to frame; `None` for bytes as they are.
    sending: Option<Sending>,
    /// Somebody asked for its ticket.
    is_tracked: bool,
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
    queued_seq: u64,
    /// Where the bytes of tracked tickets end: (position, ticket).
    tracked: VecDeque<(u64, u64)>,
    /// A message is being compressed, and what is behind it, and how many bytes that is.
    deflating: bool,
    deflating_tracked: bool,
    blocked: VecDeque<Waiting>,
    blocked_bytes: usize,
}

impl Output {
    /// Nothing is to be written, now or later.
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty() && !self.is_blocked_by_compression()
    }

    /// Something is not compressed yet: all that follows waits behind it.
    pub(super) fn is_blocked_by_compression(&self) -> bool {
        self.deflating || !self.blocked.is_empty()
    }

    /// Bytes that are held up, but for those that are being compressed.
    pub(super) fn blocked_bytes(&self) -> usize {
        self.blocked_bytes
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

    /// Adds what one send or write is made of, some `len` bytes.
    pub(super) fn put(&mut self, len: usize, append: impl FnOnce(&mut Vec<u8>)) {
        self.sent += 1;
        self.append(len, append);
    }

    /// Counts a send or write that never leaves: its ticket is never written.
    pub(super) fn reject(&mut self) {
        self.sent += 1;
        self.queued_seq += 1;
        self.queued += 1;
        self.lost += 1;
    }

    /// Adds to the queue what has a ticket already.
    pub(super) fn append(&mut self, len: usize, append: impl FnOnce(&mut Vec<u8>)) {
        let before = self.queue.len();
        self.queue.append(len, append);
        self.queued += (self.queue.len() - before) as u64;
        self.queued_seq += 1;
    }

    /// Keeps a send or write for [`Output::next_deflation`].
    pub(super) fn wait(&mut self, bytes: Vec<u8>, sending: Option<Sending>) {
        self.sent += 1;
        self.blocked_bytes += bytes.len();
        self.blocked.push_back(Waiting {
            bytes,
            sending,
            is_tracked: false,
        });
    }

    /// The next of those that wait which is to be compressed, once what is in front of it is in the queue. Nothing
    /// while one is being compressed.
    pub(super) fn next_deflation(&mut self, endpoint: &mut Endpoint) -> Option<DeflateJob> {
        if self.deflating {
            return None;
        }
        while let Some(waiting) = self.blocked.pop_front() {
            let Waiting {
                bytes,
                sending,
                is_tracked,
            } = waiting;
            self.blocked_bytes -= bytes.len();
            match sending {
                Some(Sending { flags, key }) if endpoint.compresses(flags) => {
                    self.deflating = true;
                    self.deflating_tracked = is_tracked;
                    return endpoint.deflate_job(bytes, flags, key);
                }
                Some(Sending { flags, key }) => {
                    let len = bytes.len() + MAX_HEADER_LEN;
                    self.append(len, |out| endpoint.frame(out, &bytes, flags, key));
                }
                None => self.append(bytes.len(), |out| out.extend_from_slice(&bytes)),
            }
            if is_tracked {
                self.track_last();
            }
        }
        self.blocked = VecDeque::new();
        None
    }

    /// The frame that was made of the message being compressed.
    pub(super) fn end_deflation(&mut self, frame: &[u8]) {
        self.deflating = false;
        self.append(frame.len(), |out| out.extend_from_slice(frame));
        if std::mem::take(&mut self.deflating_tracked) {
            self.track_last();
        }
    }

    fn track_last(&mut self) {
        self.tracked.push_back((self.queued, self.queued_seq));
    }

    pub(super) fn sequence_number(&mut self) -> u64 {
        if let Some(last) = self.blocked.back_mut() {
            last.is_tracked = true;
        } else if self.deflating {
            self.deflating_tracked = true;
        } else {
            self.track_last();
        }
        self.sent
    }

    /// All bytes of an tracked ticket are written, and nobody has asked for that.
    pub(super) fn has_news(&self) -> bool {
        self.tracked
            .front()
            .is_some_and(|(end, _)| *end <= self.bytes_written())
    }

    pub(super) fn written(&mut self) -> u64 {
        let position = self.bytes_written();
        let mut written = 0;
        while let Some((end, ticket)) = self.tracked.front()
            && *end <= position
        {
            written = *ticket;
            self.tracked.pop_front();
        }
        if self.tracked.is_empty() {
            self.tracked = VecDeque::new();
        }
        written
    }

    /// The socket is closed: what was not written never will be.
    pub(super) fn discard(&mut self) {
        self.lost += self.queue.len() as u64;
        self.queue.clear();
        self.blocked = VecDeque::new();
        self.blocked_bytes = 0;
    }
}

impl State {
    pub(super) fn send(
        &mut self,
        connection: &Arc<Connection>,
        context: &mut Context<'_>,
        payload: Cow<'_, [u8]>,
        sending: Sending,
        flush: Flush,
    ) {
        if !self.is_writable() {
            self.output.reject();
            return;
        }
        if self.output.is_blocked_by_compression() {
            self.output.wait(payload.into_owned(), Some(sending));
            return;
        }
        let Sending { flags, key } = sending;
        if payload.len() >= DIRECT_WRITE
            && flush != Flush::OnDriver
            && !self.corked
            && self.output.is_empty()
            && !flags.is_masked()
            && !flags.has(FrameFlags::COMPRESS)
        {
            self.send_direct(context, &payload, sending);
            return;
        }
        let Phase::Open { endpoint, .. } = &mut self.input.phase else {
            return;
        };
        let is_for_driver = flush == Flush::OnDriver;
        if endpoint.compresses(flags) && (is_for_driver || payload.len() >= JOB_LEN) {
            self.output.wait(payload.into_owned(), Some(sending));
            if !is_for_driver && let Some((job, _)) = self.begin_deflation() {
                connection.deflate_elsewhere(job);
            }
            return;
        }
        self.output.put(payload.len() + MAX_HEADER_LEN, |out| {
            endpoint.frame(out, &payload, flags, key);
        });
        self.flush_if_now(context, flush);
    }

    /// The kernel takes what it can from where the payload lies; the rest is copied.
    fn send_direct(&mut self, context: &mut Context<'_>, payload: &[u8], sending: Sending) {
        let Some(stream) = &self.stream else { return };
        let (header, length) = encode_header(sending.flags, payload.len() as u64, sending.key);
        let header = &header[..length];
        let written = match stream.write(&[IoSlice::new(header), IoSlice::new(payload)]) {
            Ok(written) => written,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            Err(error) => {
                self.output.reject();
                self.fail_writing(&error);
                return;
            }
        };
        self.output.count_direct(written);
        self.output.put(payload.len() + length - written, |out| {
            out.extend_from_slice(header.get(written..).unwrap_or_default());
            out.extend_from_slice(&payload[written.saturating_sub(length)..]);
        });
        self.flush(context);
    }

    pub(super) fn write(&mut self, bytes: &[u8]) {
        if !self.is_writable() {
            self.output.reject();
            return;
        }
        if self.output.is_blocked_by_compression() {
            self.output.wait(bytes.to_vec(), None);
        } else {
            self.output
                .put(bytes.len(), |out| out.extend_from_slice(bytes));
        }
    }

    pub(super) fn flush_if_now(&mut self, context: &mut Context<'_>, flush: Flush) {
        if flush == Flush::Now {
            self.flush(context);
        }
    }

    /// Writes one step; what is left is for a turn.
    pub(super) fn flush(&mut self, context: &mut Context<'_>) {
        self.writes_on = self.write_out(context, STEP);
    }

    /// Writes all that the kernel takes.
    pub(super) fn flush_fully(&mut self, context: &mut Context<'_>) {
        self.writes_on = self.write_out(context, ALL);
    }

    /// Writes until the queue is empty, the kernel full or `most` bytes are written, then what hangs on an empty queue.
    /// Returns whether the kernel may take more.
    fn write_out(&mut self, context: &mut Context<'_>, mut most: usize) -> bool {
        if self.corked || self.broken || matches!(self.input.phase, Phase::Connecting(_)) {
            return false;
        }
        let Some(stream) = &self.stream else {
            return false;
        };
        let result = loop {
            if self.is_blocked {
                match stream.poll_write_ready(context) {
                    Poll::Pending => return false,
                    Poll::Ready(Ok(())) => self.is_blocked = false,
                    Poll::Ready(Err(error)) => break Err(error),
                }
            }
            let queue = &mut self.output.queue;
            match queue.write_with(&mut most, |slices| stream.write(slices)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.is_blocked = true,
                Ok(()) if !queue.is_empty() => return true,
                Ok(()) if self.end_wanted && !self.shut && self.output.is_empty() => {
                    self.shut = true;
                    break stream.shutdown();
                }
                result => break result,
            }
        };
        match result {
            // The peer is gone already: its FIN or RST tells the rest.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => {}
            Err(error) => self.fail_writing(&error),
            Ok(()) => {}
        }
        false
    }

    fn fail_writing(&mut self, error: &io::Error) {
        self.reason = errno(error) | WRITING;
        self.broken = true;
    }

    pub(super) fn is_writable(&self) -> bool {
        self.stream.is_some() && !self.broken
    }
}
