//! Messages on their way into deflate streams.

use std::fmt;

use zlib_rs::{Deflate, DeflateConfig, DeflateFlush, Method, Strategy};

use super::{DeflateParams, TAIL, context_pool};
use crate::protocol::frame::FrameFlags;
use crate::protocol::sender::Frame;

/// The least room to offer zlib, so that no flush marker is cut in two.
const MIN_ROOM: usize = 64;

/// The most room to offer zlib at once.
const MAX_ROOM: usize = 64 * 1024;

/// What a level of -1 stands for, "a default compromise between speed and compression". zlib's is 6: of JSON it makes a
/// tenth less than this one, and takes twice the time.
const DEFAULT_LEVEL: i32 = 5;

/// Compresses the messages of one direction. Holds a window only if messages may refer to earlier ones.
pub struct Deflater {
    params: DeflateParams,
    /// From the first message on that has something to compress.
    context: Option<Box<Deflate>>,
    /// What the context knows is not what the receiver's window ends with.
    is_stale: bool,
}

impl Deflater {
    /// A compressor at the start of a connection. It has allocated nothing yet.
    pub fn new(params: DeflateParams) -> Self {
        Self {
            params,
            context: None,
            is_stale: false,
        }
    }

    /// Appends the compressed form of a message, or of a fragment of one; `fin` with its last fragment.
    pub fn compress(&mut self, data: &[u8], fin: bool, out: &mut Vec<u8>) {
        if data.is_empty() {
            // What flushing gives: zlib flushes only once when nothing comes in between.
            out.push(0x00);
            out.extend_from_slice(&TAIL);
        } else {
            let params = &self.params;
            let context = self.context.get_or_insert_with(|| {
                context_pool::take_deflate(params).unwrap_or_else(|| new_context(params))
            });
            if std::mem::take(&mut self.is_stale) {
                context.reset();
            }
            append_flushed(context, data, out);
        }
        if fin {
            out.truncate(out.len() - TAIL.len());
            if self.params.no_context_takeover
                && let Some(context) = self.context.take()
            {
                context_pool::give_deflate(self.params, context);
            }
        }
    }

    /// Has the next message begin a new window. Between two messages. That costs what clearing the context does, first when
    /// there is something to compress: as a rule there is another message that was compressed elsewhere.
    pub fn forget(&mut self) {
        self.is_stale = self.context.is_some();
    }

    /// Appends a compressed frame to `out`.
    pub(crate) fn append_frame(
        &mut self,
        out: &mut Vec<u8>,
        payload: &[u8],
        flags: FrameFlags,
        key: [u8; 4],
    ) {
        let frame = Frame::begin(out, flags, payload.len() / 2);
        self.compress(payload, flags.has(FrameFlags::FIN), out);
        frame.finish(out, key);
    }
}

impl fmt::Debug for Deflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deflater")
            .field("params", &self.params)
            .finish_non_exhaustive()
    }
}

fn new_context(params: &DeflateParams) -> Box<Deflate> {
    // zlib has no raw deflate with a window of 256 bytes; a larger one is no harm to the peer, because
    // zlib never refers back as far as its window is long.
    let window_bits = i32::from(params.window_bits.clamp(9, 15));
    Box::new(Deflate::new_with_config(DeflateConfig {
        level: match params.level {
            ..0 => DEFAULT_LEVEL,
            level => i32::from(level.min(9)),
        },
        method: Method::Deflated,
        window_bits: -window_bits,
        mem_level: i32::from(params.mem_level.clamp(1, 9)),
        strategy: Strategy::try_from(i32::from(params.strategy)).unwrap_or_default(),
    }))
}

/// Appends the compressed form of `data` up to and with the flush marker.
fn append_flushed(context: &mut Deflate, mut data: &[u8], out: &mut Vec<u8>) {
    loop {
        let room = (data.len() / 2).clamp(MIN_ROOM, MAX_ROOM);
        let start = out.len();
        out.resize(start + room, 0);
        let (taken, made) = (context.total_in(), context.total_out());
        let status = context.compress(data, &mut out[start..], DeflateFlush::SyncFlush);
        debug_assert!(status.is_ok(), "deflate: {status:?}");
        let made = (context.total_out() - made) as usize;
        data = &data[(context.total_in() - taken) as usize..];
        out.truncate(start + made);
        // > If deflate returns with avail_out == 0, this function must be called again
        if made < room {
            return;
        }
    }
}

/// The compression of one frame, to be run on any thread: mostly of a long one, on the pool.
///
/// While it is out nothing else is compressed, and no later frame is put on the wire.
#[derive(Debug)]
pub struct DeflateJob {
    deflater: Deflater,
    payload: Vec<u8>,
    flags: FrameFlags,
    key: [u8; 4],
    /// Empty until the job has run.
    frame: Vec<u8>,
}

impl DeflateJob {
    pub(crate) fn new(
        deflater: Deflater,
        payload: Vec<u8>,
        flags: FrameFlags,
        key: [u8; 4],
    ) -> Self {
        Self {
            deflater,
            payload,
            flags,
            key,
            frame: Vec::new(),
        }
    }

    /// Bytes to compress.
    pub fn payload_len(&self) -> usize {
        self.payload.len()
    }

    /// Compresses and frames. A second run does nothing.
    pub fn run(&mut self) {
        if self.frame.is_empty() {
            let payload = std::mem::take(&mut self.payload);
            self.deflater
                .append_frame(&mut self.frame, &payload, self.flags, self.key);
        }
    }

    pub(crate) fn finish(mut self) -> (Deflater, Vec<u8>) {
        self.run();
        (self.deflater, self.frame)
    }
}
