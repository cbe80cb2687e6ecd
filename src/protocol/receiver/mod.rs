//! Frames on their way in.

mod checks;
mod inflation;
mod payload_buffer;

use std::borrow::Cow;
use std::mem;

use super::close;
use super::deflate::Inflater;
use super::frame::{self, MAX_HEADER_LEN, opcode};
use super::mask;
use super::message::Assembly;
use super::role::Role;
use super::violation::Violation;
use crate::memory::growth::reserve;
use checks::is_above;
use inflation::{BUDGET, PendingInflate, TOTAL_BUDGET};

pub use super::message::{Message, Payload};
pub use inflation::InflateJob;

/// What a peer may make us hold. 0 stands for no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a message, as it is sent and as it is inflated.
    pub max_payload: u64,
    /// Frames of a message, empty ones too.
    pub max_fragments: u32,
    /// Chunks in which the bytes of one part of a frame (a header field, the payload) arrive.
    pub max_buffered_chunks: u32,
}

/// Takes the events of a [`Receiver`], in wire order.
pub trait Sink {
    /// A text or binary message.
    fn message(&mut self, message: Message<'_>);
    /// A ping, at most 125 bytes.
    fn ping(&mut self, payload: &[u8]);
    /// A pong, at most 125 bytes.
    fn pong(&mut self, payload: &[u8]);
    /// A close frame; 1005 if it has no body. Nothing comes after it.
    fn close(&mut self, code: u16, reason: &[u8]);
}

/// A frame whose header is complete.
#[derive(Debug)]
struct Frame {
    opcode: u8,
    fin: bool,
    /// For the next byte of the payload.
    key: [u8; 4],
    /// Bytes of the payload that are still to come.
    remaining: u64,
}

impl Frame {
    fn is_control(&self) -> bool {
        self.opcode & 0x8 != 0
    }

    /// How many bytes the message will have more, if that is known.
    fn outstanding(&self) -> u64 {
        if self.fin { self.remaining } else { u64::MAX }
    }
}

/// The receiving half of a connection: bytes in, events out.
#[derive(Debug)]
pub struct Receiver {
    role: Role,
    skip_utf8_validation: bool,
    limits: Limits,
    /// What a message may be inflated to at most, whatever the limits become.
    max_inflated: u64,
    /// A close frame or a violation has ended the stream: everything that comes is discarded.
    is_finished: bool,
    /// The header that is arriving, while it is not complete.
    header: [u8; MAX_HEADER_LEN],
    header_len: u8,
    /// The frame whose payload is arriving.
    frame: Option<Frame>,
    /// The payload of a frame that can only be handled as a whole.
    partial_payload: Vec<u8>,
    assembly: Assembly,
    /// Whether the message is compressed.
    is_compressed: bool,
    /// If permessage-deflate was negotiated, and not in a job.
    inflater: Option<Inflater>,
    pending_inflate: Option<Box<PendingInflate>>,
    /// What of a frame is inflated at once, and what is left of that for all that is handed in.
    budget: usize,
    left: usize,
    /// A frame of what was handed in last was compressed.
    has_inflated: bool,
    /// Sum of the payload lengths that the frames of the message claim.
    message_len: u64,
    /// Complete frames of the message.
    fragments: u32,
    /// Chunks that the bytes at hand of an incomplete header field or payload came in.
    chunks: u32,
}

impl Receiver {
    /// A receiver at the start of a connection; with an `inflater` if permessage-deflate was negotiated.
    pub fn new(
        role: Role,
        limits: Limits,
        skip_utf8_validation: bool,
        inflater: Option<Inflater>,
    ) -> Self {
        Self {
            role,
            skip_utf8_validation,
            limits,
            max_inflated: limits.max_payload,
            is_finished: false,
            header: [0; MAX_HEADER_LEN],
            header_len: 0,
            frame: None,
            partial_payload: Vec::new(),
            assembly: Assembly::default(),
            is_compressed: false,
            inflater,
            pending_inflate: None,
            budget: BUDGET,
            left: TOTAL_BUDGET,
            has_inflated: false,
            message_len: 0,
            fragments: 0,
            chunks: 0,
        }
    }

    /// Sum of the payload lengths that the frames of the unfinished message claim.
    pub fn message_len(&self) -> u64 {
        self.message_len
    }

    /// Whether a frame of what was handed in last was compressed.
    pub fn has_inflated(&self) -> bool {
        self.has_inflated
    }

    /// Has other limits hold from the next header on. What a message is inflated to stays below the first one, too.
    pub fn set_limits(&mut self, limits: Limits, skip_utf8_validation: bool) {
        self.limits = limits;
        self.skip_utf8_validation = skip_utf8_validation;
    }

    /// Makes every compressed frame a job from here on.
    pub fn defer_inflation(&mut self) {
        self.budget = 0;
    }

    /// Takes the next bytes of the stream, which are unmasked in place, and reports what they complete.
    pub fn handle_bytes(
        &mut self,
        bytes: &mut [u8],
        sink: &mut impl Sink,
    ) -> Result<(), Violation> {
        if self.is_finished || bytes.is_empty() {
            return Ok(());
        }
        if let Some(pending_inflate) = &mut self.pending_inflate {
            pending_inflate.keep(bytes);
            return Ok(());
        }
        self.left = TOTAL_BUDGET;
        self.has_inflated = false;
        let result = if is_above(
            self.chunks.saturating_add(1),
            self.limits.max_buffered_chunks,
        ) {
            Err(Violation::TooManyBufferedChunks)
        } else {
            self.parse(bytes, sink)
        };
        if let (Ok(left), Some(pending_inflate)) = (result, &mut self.pending_inflate) {
            pending_inflate.keep(&bytes[bytes.len() - left..]);
        }
        self.ended(result)
    }

    /// After a violation everything is discarded.
    fn ended(&mut self, result: Result<usize, Violation>) -> Result<(), Violation> {
        if result.is_err() {
            self.finish();
        }
        result.map(|_| ())
    }

    /// Reports what the bytes complete. Returns how many of them are left after a frame that became a job.
    fn parse(&mut self, mut bytes: &mut [u8], sink: &mut impl Sink) -> Result<usize, Violation> {
        loop {
            let begun = self.frame.take();
            let is_begun = begun.is_some();
            let frame = match begun {
                Some(frame) => frame,
                None => match self.take_header(&mut bytes)? {
                    Some(frame) => frame,
                    None => return Ok(0),
                },
            };
            if (bytes.len() as u64) < frame.remaining {
                self.count_chunk(is_begun, bytes.len());
                self.take_piece(frame, bytes)?;
                return Ok(0);
            }
            let (piece, rest) = mem::take(&mut bytes).split_at_mut(frame.remaining as usize);
            bytes = rest;
            if frame.is_control() {
                self.end_control_frame(&frame, piece, sink)?;
            } else if self.is_compressed {
                self.end_compressed_frame(&frame, piece, sink)?;
            } else {
                self.end_data_frame(&frame, piece, sink)?;
            }
            if self.is_finished {
                return Ok(0);
            }
            if self.pending_inflate.is_some() {
                return Ok(bytes.len());
            }
        }
    }

    /// Takes a header off the front of `bytes`; if it is incomplete, keeps what there is of it.
    fn take_header(&mut self, bytes: &mut &mut [u8]) -> Result<Option<Frame>, Violation> {
        let seen = usize::from(self.header_len);
        let joined;
        let source = if seen == 0 {
            &bytes[..]
        } else {
            let len = bytes.len().min(MAX_HEADER_LEN - seen);
            self.header[seen..seen + len].copy_from_slice(&bytes[..len]);
            joined = self.header;
            &joined[..seen + len]
        };
        let Some((frame, len)) = self.parse_header(source, seen)? else {
            let len = source.len();
            self.header[..len].copy_from_slice(source);
            self.header_len = len as u8;
            let field = frame::last_field(&self.header[..len]);
            self.count_chunk(field < seen, len - field);
            return Ok(None);
        };
        self.header_len = 0;
        *bytes = &mut mem::take(bytes)[len - seen..];
        Ok(Some(frame))
    }

    /// Parses a header of which `seen` bytes have been looked at before. Each field is checked once,
    /// when its last byte is there. Returns the frame and the length of the header.
    fn parse_header(
        &mut self,
        bytes: &[u8],
        seen: usize,
    ) -> Result<Option<(Frame, usize)>, Violation> {
        let Some(&[first, second]) = bytes.first_chunk() else {
            return Ok(None);
        };
        if seen < 2 {
            self.check_start(first, second)?;
        }
        let Some((payload_len, mut end)) = frame::decode_length(bytes) else {
            return Ok(None);
        };
        let opcode = first & 0xf;
        if seen < end {
            self.check_length(opcode, payload_len)?;
        }
        let mut key = [0; 4];
        if second & 0x80 != 0 {
            let Some(sent) = bytes[end..].first_chunk() else {
                return Ok(None);
            };
            key = *sent;
            end += 4;
        }
        if opcode == opcode::TEXT || opcode == opcode::BINARY {
            self.assembly.begin(opcode, self.skip_utf8_validation);
            self.is_compressed = first & 0x40 != 0;
        }
        let frame = Frame {
            opcode,
            fin: first & 0x80 != 0,
            key,
            remaining: payload_len,
        };
        Ok(Some((frame, end)))
    }

    /// Takes bytes of a payload that do not complete it.
    fn take_piece(&mut self, mut frame: Frame, piece: &[u8]) -> Result<(), Violation> {
        if frame.is_control() || self.is_compressed {
            reserve(&mut self.partial_payload, piece.len(), frame.remaining);
            mask::append(frame.key, piece, &mut self.partial_payload);
        } else {
            self.assembly.push(frame.key, piece, frame.outstanding())?;
        }
        frame.key = mask::rotate(frame.key, piece.len());
        frame.remaining -= piece.len() as u64;
        self.frame = Some(frame);
        Ok(())
    }

    fn end_data_frame(
        &mut self,
        frame: &Frame,
        piece: &mut [u8],
        sink: &mut impl Sink,
    ) -> Result<(), Violation> {
        let is_whole = frame.fin && frame.opcode != opcode::CONTINUATION;
        if is_whole && self.assembly.is_empty() {
            mask::apply(frame.key, 0, piece);
            self.message_len = 0;
            sink.message(self.assembly.finish_with(piece)?);
            return Ok(());
        }
        // Text is refused as it arrives: before its frame is complete and counts.
        self.assembly.push(frame.key, piece, frame.outstanding())?;
        self.count_fragment()?;
        self.end_fragment(frame.fin, sink)
    }

    /// All bytes of a frame are in the message.
    fn end_fragment(&mut self, fin: bool, sink: &mut impl Sink) -> Result<(), Violation> {
        if fin {
            self.fragments = 0;
            self.message_len = 0;
            sink.message(self.assembly.finish()?.message());
        } else {
            self.assembly.end_frame();
        }
        Ok(())
    }

    fn end_control_frame(
        &mut self,
        frame: &Frame,
        piece: &mut [u8],
        sink: &mut impl Sink,
    ) -> Result<(), Violation> {
        let payload = &*self.whole_payload(frame, piece);
        match frame.opcode {
            opcode::PING => sink.ping(payload),
            opcode::PONG => sink.pong(payload),
            _ => {
                let (code, reason) = close::parse(payload, self.skip_utf8_validation)?;
                sink.close(code, reason);
                self.finish();
            }
        }
        Ok(())
    }

    /// The unmasked payload of a frame that is handled as a whole, given its last piece.
    fn whole_payload<'a>(&mut self, frame: &Frame, piece: &'a mut [u8]) -> Cow<'a, [u8]> {
        mask::apply(frame.key, 0, piece);
        let mut payload = mem::take(&mut self.partial_payload);
        if payload.is_empty() {
            return Cow::Borrowed(piece);
        }
        payload.extend_from_slice(piece);
        Cow::Owned(payload)
    }

    /// Counts the chunk at hand if bytes of it wait for the rest of a field or payload. `is_begun`:
    /// earlier chunks hold bytes of the same.
    fn count_chunk(&mut self, is_begun: bool, waiting: usize) {
        self.chunks = match waiting {
            0 => 0,
            _ if is_begun => self.chunks.saturating_add(1),
            _ => 1,
        };
    }

    /// Bytes allocated at the moment.
    #[cfg(test)]
    fn capacity(&self) -> usize {
        self.partial_payload.capacity() + self.assembly.capacity()
    }

    /// From here on everything is discarded.
    fn finish(&mut self) {
        self.is_finished = true;
        self.partial_payload = Vec::new();
        self.assembly = Assembly::default();
        self.inflater = None;
    }
}

#[cfg(test)]
mod tests;
