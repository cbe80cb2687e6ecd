//! What a connection has still to write.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::engine::out_queue::OutQueue;
use crate::engine::shared_frame::SharedFrame;
use crate::protocol::deflate::DeflateJob;
use crate::protocol::frame::MAX_HEADER_LEN;
use crate::protocol::{Endpoint, FrameFlags};

/// How a frame is to be made.
#[derive(Clone, Copy)]
pub(super) struct Sending {
    pub(super) flags: FrameFlags,
    pub(super) key: [u8; 4],
}

/// What waits is made of.
enum Contents {
    /// A payload to frame.
    Payload(Vec<u8>, Sending),
    /// Bytes as they are.
    Bytes(Vec<u8>),
    /// A frame that other connections get as well.
    Shared(SharedFrame),
}

impl Contents {
    fn len(&self) -> usize {
        match self {
            Self::Payload(bytes, _) | Self::Bytes(bytes) => bytes.len(),
            Self::Shared(frame) => frame.bytes.len(),
        }
    }
}

/// A send or write that is to be compressed outside of the call, or waits for one that is.
struct BlockedSend {
    contents: Contents,
    /// JavaScript asked for its sequence number.
    is_tracked: bool,
}

/// A place in what is sent: what comes behind it is not written.
struct Cork {
    /// The send or write in front of it.
    after: u64,
    /// Where the bytes of that end, once they are in the queue.
    from: u64,
}

/// The state of the writing side.
#[derive(Default)]
pub(super) struct Output {
    pub(super) queue: OutQueue,
    /// Bytes ever put into the queue, and those of them that were discarded.
    queued: u64,
    discarded: u64,
    /// Sends and writes so far, and those of them whose bytes are in the queue or beyond.
    sent: u64,
    queued_seq: u64,
    /// Where the bytes of tracked sends and writes end: (position, sequence number).
    tracked: VecDeque<(u64, u64)>,
    /// A message is being compressed, and what waits for it, and how many bytes that is.
    deflating: bool,
    deflating_tracked: bool,
    blocked: VecDeque<BlockedSend>,
    blocked_bytes: usize,
    /// Those among them that JavaScript does not count.
    blocked_shared: usize,
    /// How many frames there were that other connections got as well.
    shared_frames: u64,
    /// Few programs put one there.
    cork: Option<Box<Cork>>,
}

impl Output {
    /// Nothing is to be written, now or later.
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty() && !self.is_blocked_by_compression()
    }

    /// Something is not compressed yet: all that follows waits for it.
    pub(super) fn is_blocked_by_compression(&self) -> bool {
        self.deflating || !self.blocked.is_empty()
    }

    /// Bytes that are held up, but for those that are being compressed.
    pub(super) fn blocked_bytes(&self) -> usize {
        self.blocked_bytes
    }

    pub(super) fn pending(&self) -> usize {
        self.queue.len() + self.blocked_shared
    }

    /// Bytes of the queue that no cork holds back.
    pub(super) fn uncorked(&self) -> usize {
        let length = self.queue.len();
        self.cork.as_ref().map_or(length, |cork| {
            let uncorked = cork.from.saturating_sub(self.bytes_written());
            usize::try_from(uncorked).map_or(length, |uncorked| uncorked.min(length))
        })
    }

    pub(super) fn is_corked(&self) -> bool {
        self.cork.is_some()
    }

    /// All is written that is not corked.
    pub(super) fn is_held_back(&self) -> bool {
        let is_reached = |cork: &Cork| cork.from <= self.bytes_written();
        self.cork.as_deref().is_some_and(is_reached)
    }

    /// Holds back what is sent from here on.
    pub(super) fn cork(&mut self) {
        self.cork = Some(Box::new(Cork {
            after: self.sent,
            from: u64::MAX,
        }));
        self.place_cork();
    }

    pub(super) fn uncork(&mut self) {
        self.cork = None;
    }

    /// What has come into the queue may be the last in front of a cork.
    fn place_cork(&mut self) {
        if let Some(cork) = &mut self.cork
            && cork.after == self.queued_seq
        {
            cork.from = self.queued;
        }
    }

    pub(super) fn bytes_written(&self) -> u64 {
        self.queued - self.discarded - self.queue.len() as u64
    }

    pub(super) fn shared_frames(&self) -> u64 {
        self.shared_frames
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

    /// Adds what other connections get as well.
    pub(super) fn put_shared(&mut self, bytes: &Bytes) {
        self.sent += 1;
        self.shared_frames += 1;
        self.append_shared(bytes);
    }

    fn append_shared(&mut self, bytes: &Bytes) {
        self.queue.append_shared(bytes);
        self.queued += bytes.len() as u64;
        self.queued_seq += 1;
        self.place_cork();
    }

    /// Counts a send or write that never leaves: it is never reported as written.
    pub(super) fn reject(&mut self) {
        self.sent += 1;
        self.queued_seq += 1;
        self.queued += 1;
        self.discarded += 1;
    }

    /// Adds to the queue what is counted already.
    pub(super) fn append(&mut self, len: usize, append: impl FnOnce(&mut Vec<u8>)) {
        let before = self.queue.len();
        self.queue.append(len, append);
        self.queued += (self.queue.len() - before) as u64;
        self.queued_seq += 1;
        self.place_cork();
    }

    /// Keeps a send or write for [`Output::take_deflate_job`].
    pub(super) fn wait(&mut self, bytes: Vec<u8>, sending: Option<Sending>) {
        self.block(match sending {
            Some(sending) => Contents::Payload(bytes, sending),
            None => Contents::Bytes(bytes),
        });
    }

    /// The same for what other connections get as well.
    pub(super) fn wait_shared(&mut self, frame: &SharedFrame) {
        self.blocked_shared += frame.bytes.len();
        self.shared_frames += 1;
        self.block(Contents::Shared(frame.clone()));
    }

    fn block(&mut self, contents: Contents) {
        self.sent += 1;
        self.blocked_bytes += contents.len();
        self.blocked.push_back(BlockedSend {
            contents,
            is_tracked: false,
        });
    }

    /// The next of those that wait which is to be compressed, once what is in front of it is in the queue. Nothing
    /// while one is being compressed.
    pub(super) fn take_deflate_job(&mut self, endpoint: &mut Endpoint) -> Option<DeflateJob> {
        if self.deflating {
            return None;
        }
        while let Some(blocked) = self.blocked.pop_front() {
            let BlockedSend {
                contents,
                is_tracked,
            } = blocked;
            self.blocked_bytes -= contents.len();
            match contents {
                Contents::Payload(bytes, Sending { flags, key }) if endpoint.compresses(flags) => {
                    self.deflating = true;
                    self.deflating_tracked = is_tracked;
                    return endpoint.deflate_job(bytes, flags, key);
                }
                Contents::Payload(bytes, Sending { flags, key }) => {
                    let len = bytes.len() + MAX_HEADER_LEN;
                    self.append(len, |out| endpoint.frame(out, &bytes, flags, key));
                }
                Contents::Bytes(bytes) => {
                    self.append(bytes.len(), |out| out.extend_from_slice(&bytes));
                }
                Contents::Shared(frame) => {
                    self.blocked_shared -= frame.bytes.len();
                    if frame.is_compressed {
                        endpoint.forget_context();
                    }
                    self.append_shared(&frame.bytes);
                }
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

    /// All bytes of a tracked send or write are with the kernel, and that is not reported yet.
    pub(super) fn has_news(&self) -> bool {
        self.tracked
            .front()
            .is_some_and(|(end, _)| *end <= self.bytes_written())
    }

    pub(super) fn written(&mut self) -> u64 {
        let position = self.bytes_written();
        let mut written = 0;
        while let Some((end, number)) = self.tracked.front()
            && *end <= position
        {
            written = *number;
            self.tracked.pop_front();
        }
        if self.tracked.is_empty() {
            self.tracked = VecDeque::new();
        }
        written
    }

    /// The socket is closed: what was not written never will be.
    pub(super) fn discard(&mut self) {
        self.discarded += self.queue.len() as u64;
        self.queue.clear();
        self.blocked = VecDeque::new();
        self.blocked_bytes = 0;
        self.blocked_shared = 0;
    }
}
