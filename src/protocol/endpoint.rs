//! One end of a WebSocket connection, without its socket.

use super::deflate::{self, DeflateJob, Deflater, Inflater};
use super::frame::FrameFlags;
use super::receiver::{InflateJob, Limits, Receiver, Sink};
use super::role::Role;
use super::sender;
use super::violation::Violation;

/// What an endpoint is told when it is made.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Which end of the connection this is.
    pub role: Role,
    /// What the peer may make us hold.
    pub limits: Limits,
    /// Take text messages and close reasons as they are.
    pub skip_utf8_validation: bool,
    /// The parameters of permessage-deflate, if it was negotiated.
    pub deflate: Option<deflate::Params>,
}

/// One end of a connection: bytes in, events out; payloads in, frames out.
#[derive(Debug)]
pub struct Endpoint {
    receiver: Receiver,
    /// If permessage-deflate was negotiated, and not in a job.
    deflater: Option<Deflater>,
}

impl Endpoint {
    /// An endpoint right after the opening handshake.
    pub fn new(config: Config) -> Self {
        let inflater = config.deflate.map(|params| Inflater::new(params.inflate));
        Self {
            receiver: Receiver::new(
                config.role,
                config.limits,
                config.skip_utf8_validation,
                inflater,
            ),
            deflater: config.deflate.map(|params| Deflater::new(params.deflate)),
        }
    }

    /// Takes the next bytes from the peer, which may be unmasked in place, and reports what they
    /// complete. After a violation or a close frame every further byte is discarded.
    ///
    /// After this there may be a job to [take](Self::take_job).
    pub fn handle_bytes(
        &mut self,
        bytes: &mut [u8],
        sink: &mut impl Sink,
    ) -> Result<(), Violation> {
        self.receiver.handle_bytes(bytes, sink)
    }

    /// Where the next bytes from the peer belong, and how many at most, if that is known; see
    /// [`Receiver::payload_buffer`].
    pub fn payload_buffer(&mut self) -> Option<(&mut Vec<u8>, usize)> {
        self.receiver.payload_buffer()
    }

    /// Takes the bytes that were appended there.
    pub fn advance_payload(&mut self, added: usize, sink: &mut impl Sink) -> Result<(), Violation> {
        self.receiver.advance_payload(added, sink)
    }

    /// Whether a frame of what was handed in last was compressed.
    pub fn has_inflated(&self) -> bool {
        self.receiver.has_inflated()
    }

    /// A frame that takes long to inflate, if there is one: to be run on any thread, and handed to
    /// [`finish_job`](Self::finish_job). Until then the endpoint keeps what it is given to handle, so it
    /// should not be given more.
    pub fn take_job(&mut self) -> Option<InflateJob> {
        self.receiver.take_job()
    }

    /// Reports what the job completes and goes on with the bytes after it. After this there may be
    /// another job. A job that was not run yet is run here.
    pub fn finish_job(&mut self, job: InflateJob, sink: &mut impl Sink) -> Result<(), Violation> {
        self.receiver.finish_job(job, sink)
    }

    /// Appends one frame to `out`. `key` is used only when the flags have `KEY`.
    pub fn frame(&mut self, out: &mut Vec<u8>, payload: &[u8], flags: FrameFlags, key: [u8; 4]) {
        match &mut self.deflater {
            Some(deflater) if flags.has(FrameFlags::COMPRESS) => {
                deflater.append_frame(out, payload, flags, key);
            }
            _ => sender::append_frame(out, payload, flags, key),
        }
    }

    /// Whether frames with these flags are compressed.
    pub fn compresses(&self, flags: FrameFlags) -> bool {
        flags.has(FrameFlags::COMPRESS) && self.deflater.is_some()
    }

    /// Has messages from here on refer to none before: a compressed one was sent that this endpoint did not make.
    /// RFC 7692, section 7.1.1, lets each side do so whatever was negotiated.
    pub fn forget_context(&mut self) {
        if let Some(deflater) = &mut self.deflater {
            deflater.forget();
        }
    }

    /// A job that makes, on any thread, the frame which [`frame`](Self::frame) would append. From
    /// [`deflate::POOL_LEN`] on that is better done on another one. Nothing, and no copy of a borrowed
    /// payload, if it is not to be compressed.
    ///
    /// Until the job is handed to [`finish_deflate_job`](Self::finish_deflate_job) no other frame may be
    /// compressed, and all later frames have to wait.
    pub fn deflate_job(
        &mut self,
        payload: impl Into<Vec<u8>>,
        flags: FrameFlags,
        key: [u8; 4],
    ) -> Option<DeflateJob> {
        if !flags.has(FrameFlags::COMPRESS) {
            return None;
        }
        let deflater = self.deflater.take()?;
        Some(DeflateJob::new(deflater, payload.into(), flags, key))
    }

    /// The frame that the job made. A job that was not run yet is run here.
    pub fn finish_deflate_job(&mut self, job: DeflateJob) -> Vec<u8> {
        let (deflater, frame) = job.finish();
        self.deflater = Some(deflater);
        frame
    }

    /// Sum of the payload lengths that the frames of the unfinished message claim.
    pub fn message_len(&self) -> u64 {
        self.receiver.message_len()
    }

    /// Has other limits hold for what comes from here on.
    pub fn set_limits(&mut self, limits: Limits, skip_utf8_validation: bool) {
        self.receiver.set_limits(limits, skip_utf8_validation);
    }

    /// Makes every compressed frame that comes from here on a job, however short.
    pub fn defer_inflation(&mut self) {
        self.receiver.defer_inflation();
    }
}
