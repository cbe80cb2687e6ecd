//! Deflate streams on their way back into messages.

use std::fmt;

use zlib_rs::{Inflate, InflateFlush, Status};

use super::{InflateParams, TAIL, context_pool};
use crate::memory::growth::reserve;
use crate::protocol::violation::{InflateFault, Violation};

/// The least and the most room to offer zlib at once.
const MIN_ROOM: usize = 256;
const MAX_ROOM: usize = 32 * 1024;

/// Inflates the messages of one direction. Holds a window only if messages may refer to earlier ones.
pub struct Inflater {
    params: InflateParams,
    /// From the first message on.
    context: Option<Box<Inflate>>,
}

impl Inflater {
    /// A decompressor at the start of a connection. It has allocated nothing yet.
    pub fn new(params: InflateParams) -> Self {
        Self {
            params,
            context: None,
        }
    }

    /// Appends what the payload of a frame inflates to; `fin` with the last frame of a message. `limit`
    /// is what `out` may hold at most, 0 for no limit. After a violation the inflater is spent.
    pub fn inflate(
        &mut self,
        data: &[u8],
        fin: bool,
        limit: u64,
        out: &mut Vec<u8>,
    ) -> Result<(), Violation> {
        let mut fed = 0;
        while !self.step(data, fin, &mut fed, limit, out)? {}
        Ok(())
    }

    /// One call into zlib for a frame of which `fed` bytes are done. True when all of it is.
    ///
    /// > Append 4 octets of 0x00 0x00 0xff 0xff to the tail end of the payload of the message.
    pub(crate) fn step(
        &mut self,
        data: &[u8],
        fin: bool,
        fed: &mut usize,
        limit: u64,
        out: &mut Vec<u8>,
    ) -> Result<bool, Violation> {
        let tail: &[u8] = if fin { &TAIL } else { &[] };
        let input = match data.get(*fed..) {
            Some(rest) if !rest.is_empty() => rest,
            _ => &tail[*fed - data.len()..],
        };
        let window_bits = self.params.window_bits.clamp(8, 15);
        let context = self
            .context
            .get_or_insert_with(|| new_context(window_bits, self.params.no_context_takeover));

        // One byte above the limit is enough to know that it is passed.
        let left = match limit {
            0 => u64::MAX,
            _ => limit.saturating_add(1).saturating_sub(out.len() as u64),
        };
        let room = (input.len() * 4).max(out.len()).clamp(MIN_ROOM, MAX_ROOM);
        let room = usize::try_from(left).unwrap_or(usize::MAX).min(room);
        let start = out.len();
        reserve(out, room, left);
        out.resize(start + room, 0);

        let (taken, made) = (context.total_in(), context.total_out());
        let status = context.decompress(input, &mut out[start..], InflateFlush::SyncFlush);
        let made = (context.total_out() - made) as usize;
        *fed += (context.total_in() - taken) as usize;
        out.truncate(start + made);
        if made as u64 == left {
            return Err(Violation::UnsupportedMessageLength);
        }
        let is_fed = *fed == data.len() + tail.len();
        match status {
            Ok(Status::Ok) if made == room || !is_fed => return Ok(false),
            Ok(_) => {}
            Err(_) => return Err(fault(context)),
        }
        // What follows a final block is left out, as by ws, and the next frame begins a new stream.
        if fin && is_fed && self.params.no_context_takeover {
            if let Some(context) = self.context.take() {
                context_pool::give_inflate(context);
            }
        } else if !is_fed {
            self.context = None;
        }
        Ok(true)
    }
}

fn new_context(window_bits: u8, is_short_lived: bool) -> Box<Inflate> {
    is_short_lived
        .then(context_pool::take_inflate)
        .flatten()
        .unwrap_or_else(|| Box::new(Inflate::new(false, window_bits)))
}

fn fault(context: &Inflate) -> Violation {
    let text = match context.error_message() {
        // zlib-rs 0.6.8 forgets what its fast loop found. Of 16 378 broken streams (one bit of a good one
        // turned) 16 371 had this.
        Some("repeated call with bad state") => Some("invalid distance too far back"),
        text => text,
    };
    Violation::Inflate(InflateFault::new(text))
}

impl fmt::Debug for Inflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inflater")
            .field("params", &self.params)
            .finish_non_exhaustive()
    }
}
