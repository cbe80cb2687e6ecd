//! How a connection writes.

use std::borrow::Cow;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::task::{Context, Poll};

use super::output::Sending;
use super::phase::Phase;
use super::state::State;
use super::{Connection, Flush};
use crate::engine::errno::errno;
use crate::engine::events::WRITING;
use crate::engine::stream::{Stream, is_short_of_buffers};
use crate::protocol::FrameFlags;
use crate::protocol::deflate::POOL_LEN;
use crate::protocol::frame::{MAX_HEADER_LEN, encode_header};

/// An unmasked payload this long goes to the kernel from where it lies.
pub const DIRECT_WRITE: usize = 16 * 1024;

/// What is written at once while others wait: the lock of the connection, and the thread that polls. Some 100 µs.
const WRITE_STEP: usize = 512 * 1024;

/// What is written before a socket is closed: more than the kernel keeps of it, and an end to it for a peer that reads on.
const ALL: usize = 16 * 1024 * 1024;

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
            && flush != Flush::OnIoThread
            && !self.output.is_corked()
            && !self.holds_sends
            && self.output.is_empty()
            && self.stream.as_ref().is_some_and(Stream::is_ready)
            && !flags.is_masked()
            && !flags.has(FrameFlags::COMPRESS)
        {
            self.send_direct(context, &payload, sending);
            return;
        }
        let Phase::Open { endpoint, .. } = &mut self.input.phase else {
            return;
        };
        let is_for_io_thread = flush == Flush::OnIoThread;
        if endpoint.compresses(flags) && (is_for_io_thread || payload.len() >= POOL_LEN) {
            self.output.wait(payload.into_owned(), Some(sending));
            if !is_for_io_thread && let Some((job, _)) = self.first_deflate_job() {
                connection.deflate_on_pool(job);
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
        let Some(stream) = &mut self.stream else {
            return;
        };
        let (header, length) = encode_header(sending.flags, payload.len() as u64, sending.key);
        let header = &header[..length];
        let written = match stream.write(&[IoSlice::new(header), IoSlice::new(payload)], false) {
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

    /// Writes as much as one poll may; the next one writes the rest.
    pub(super) fn flush(&mut self, context: &mut Context<'_>) {
        if !self.holds_sends {
            self.flush_step(context);
        }
    }

    /// The same though something may have been read that is not told yet.
    pub(super) fn flush_step(&mut self, context: &mut Context<'_>) {
        self.writes_on = self.write_out(context, WRITE_STEP);
    }

    /// Writes all that the kernel takes.
    pub(super) fn flush_fully(&mut self, context: &mut Context<'_>) {
        self.writes_on = self.write_out(context, ALL);
    }

    /// Writes until all is written that is not corked, the kernel full or `most` bytes are written, then what hangs on an
    /// empty queue. Returns whether the kernel may take more.
    fn write_out(&mut self, context: &mut Context<'_>, most: usize) -> bool {
        if self.broken || matches!(self.input.phase, Phase::Connecting(_)) {
            return false;
        }
        let Some(stream) = self.stream.as_mut().filter(|stream| stream.is_ready()) else {
            return false;
        };
        let mut most = most.min(self.output.uncorked());
        let result = loop {
            if self.is_kernel_full {
                match stream.poll_write_ready(context) {
                    Poll::Pending => return false,
                    Poll::Ready(Ok(())) => self.is_kernel_full = false,
                    Poll::Ready(Err(error)) => break Err(error),
                }
            }
            let is_end_due = self.end_wanted && !self.shut;
            let is_end_next = is_end_due && !self.output.is_blocked_by_compression();
            let queue = &mut self.output.queue;
            let written = queue
                .write_with(&mut most, |slices, is_all| {
                    stream.write(slices, is_all && is_end_next)
                })
                .and_then(|()| stream.flush());
            let result = match written {
                Ok(()) if !queue.is_empty() => return self.output.uncorked() > 0,
                Ok(()) if is_end_due && self.output.is_empty() => {
                    let result = stream.shutdown();
                    self.shut = !is_blocking(&result);
                    result
                }
                result => result,
            };
            if !is_blocking(&result) {
                break result;
            }
            self.is_kernel_full = true;
        };
        match result {
            // The peer is gone already: its FIN or RST tells the rest.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => {}
            Err(error) if is_short_of_buffers(&error) => return true,
            Err(error) => self.fail_writing(&error),
            Ok(()) => {}
        }
        false
    }

    fn fail_writing(&mut self, error: &io::Error) {
        self.reason = errno(error) | WRITING;
        self.broken = true;
    }

    /// The next flush writes, and the kernel took all when we wrote last.
    pub(super) fn takes_at_once(&self) -> bool {
        let is_ready = self.stream.as_ref().is_some_and(Stream::is_ready);
        let is_held_up = self.output.is_corked() || self.output.is_blocked_by_compression();
        is_ready && !is_held_up && !self.broken && !self.is_kernel_full && !self.writes_on
    }

    pub(super) fn is_writable(&self) -> bool {
        self.stream.is_some() && !self.broken
    }
}

fn is_blocking(result: &io::Result<()>) -> bool {
    matches!(result, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}
