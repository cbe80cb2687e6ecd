//! A socket with a TLS session on it.

use std::cell::Cell;
use std::io::{self, IoSlice};
use std::mem;
use std::task::{Context, Poll};

use bytes::{Buf, BytesMut};

use super::{READ_SIZE, Stream};
use crate::engine::tls::{FormerBios, FoundSession, Session};

/// A sent record's memory above this is not kept for the next one.
const KEPT: usize = 4 * READ_SIZE;

/// Records up to this many bytes wait for those of the write that comes next.
const MAX_JOINED: usize = 16 * 1024;

/// How often a read looks for a record that brings something.
const ROUNDS: u32 = 8;

/// Records that the session made of its own accord and that are not sent: beyond them nothing more is read that it might
/// answer.
const MAX_ANSWERS: usize = 64 * 1024;

thread_local! {
    /// Where records are received and made: connections that are idle have no memory of their own for that. Some are made when
    /// the process exits, and this may be gone.
    static RECEIVED: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    static MADE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The session and what of it is under way.
pub struct TlsStream {
    socket: Stream,
    state: State,
    /// Records that were received, and not looked at.
    received: BytesMut,
    /// Bytes that records were made of which are not all sent: the next write begins with them, and has them done.
    encrypted: usize,
    /// The peer has said that no more comes.
    has_ended: bool,
    /// We have.
    is_shut: bool,
}

enum State {
    /// Node still uses it: nothing is read or written.
    Found(FoundSession),
    Taken(Session),
    /// It is broken; the next read tells why.
    Failed(Option<io::Error>),
}

impl TlsStream {
    pub(crate) fn new(socket: Stream, session: FoundSession) -> Self {
        Self {
            socket,
            state: State::Found(session),
            received: BytesMut::new(),
            encrypted: 0,
            has_ended: false,
            is_shut: false,
        }
    }

    /// The socket below.
    pub(crate) fn socket(&self) -> &Stream {
        &self.socket
    }

    /// Takes the session over, now that Node is done with it: see [`Session::take`]. Nothing if Node has made records that
    /// it has not sent, unless it has given `sent` bytes to the kernel, and no more are on their way.
    pub(crate) fn take(&mut self, sent: Option<u64>) -> Option<FormerBios> {
        let State::Found(found) = &self.state else {
            return None;
        };
        let unsent = match (found.unsent(), sent) {
            (0, _) => 0,
            (unsent, Some(sent)) => {
                let missing = found.made().saturating_sub(sent);
                usize::try_from(missing).unwrap_or(usize::MAX).min(unsent)
            }
            (_, None) => return None,
        };
        let State::Found(found) = mem::replace(&mut self.state, State::Failed(None)) else {
            return None;
        };
        let (session, received, bios) = Session::take(found, unsent)?;
        self.received = BytesMut::from(&received[..]);
        self.state = State::Taken(session);
        Some(bios)
    }

    /// Whether bytes can be read and written.
    pub(crate) fn is_taken(&self) -> bool {
        !matches!(self.state, State::Found(_))
    }

    /// As [`Stream::poll_read`].
    pub(crate) fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut Vec<u8>,
        room: usize,
        is_chunk: bool,
    ) -> Poll<io::Result<usize>> {
        let mut rounds = 0;
        self.read_with(buffer, room, is_chunk, |socket, records| {
            // A peer may send what brings us nothing, without end.
            if rounds == ROUNDS {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            rounds += 1;
            socket.poll_read(context, records, READ_SIZE, true)
        })
    }

    /// As [`Stream::read_now`].
    pub(crate) fn read_now(
        &mut self,
        buffer: &mut Vec<u8>,
        room: usize,
        is_chunk: bool,
    ) -> Poll<io::Result<usize>> {
        self.read_with(buffer, room, is_chunk, |socket, records| {
            socket.read_now(records, READ_SIZE, true)
        })
    }

    fn read_with(
        &mut self,
        buffer: &mut Vec<u8>,
        room: usize,
        is_chunk: bool,
        mut receive: impl FnMut(&mut Stream, &mut Vec<u8>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let mut records = RECEIVED.take();
        let result = loop {
            if self.has_ended {
                break Poll::Ready(Ok(0));
            }
            let State::Taken(session) = &mut self.state else {
                break Poll::Ready(Err(self.take_failure()));
            };
            // Reading goes on when there is room for them.
            if self.encrypted == 0 && session.output().len() > MAX_ANSWERS {
                break Poll::Pending;
            }
            let before = buffer.len();
            let is_early = !self.received.is_empty() || session.has_pending();
            records.clear();
            if !is_early {
                records.reserve(READ_SIZE);
                match receive(&mut self.socket, &mut records) {
                    // FIN is an end, too, whatever was said before.
                    Poll::Ready(Ok(n)) if n > 0 => {}
                    other => break other,
                }
            }
            let unseen = if is_early {
                &self.received
            } else {
                &records[..]
            };
            let (seen, ended) = session.read(unseen, buffer, room, is_chunk);
            if !is_early {
                self.received.extend_from_slice(&records[seen..]);
            } else if seen == self.received.len() {
                self.received = BytesMut::new();
            } else {
                self.received.advance(seen);
            }
            match ended {
                Ok(ended) => self.has_ended = ended,
                Err(error) => {
                    // An alert tells the peer why, as far as the kernel takes it.
                    let _ = self.flush();
                    self.received = BytesMut::new();
                    self.state = State::Failed(Some(error));
                }
            }
            // What came before an end or a failure is read before.
            if buffer.len() > before {
                break Poll::Ready(Ok(buffer.len() - before));
            }
        };
        records.clear();
        RECEIVED.set(records);
        result
    }

    fn take_failure(&mut self) -> io::Error {
        match &mut self.state {
            State::Failed(failure) => failure.take(),
            _ => None,
        }
        .unwrap_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// Whether there is something to read, or to be told, though the socket may have nothing.
    pub(crate) fn is_readable(&self) -> bool {
        let has_failed = matches!(&self.state, State::Failed(Some(_)));
        has_failed || self.has_ended || self.is_ahead()
    }

    /// Whether there are records that were received and not read, or a part of one.
    pub(crate) fn is_ahead(&self) -> bool {
        let is_begun = matches!(&self.state, State::Taken(session) if session.has_pending());
        is_begun || !self.received.is_empty()
    }

    /// As [`Stream::write`]: bytes are written when all their records are with the kernel. Where it would block, the next
    /// write must begin with the same bytes.
    pub(crate) fn write(&mut self, slices: &[IoSlice<'_>], is_end_next: bool) -> io::Result<usize> {
        if self.encrypted > 0 || self.unsent() > MAX_JOINED {
            self.flush()?;
        }
        if self.encrypted == 0 {
            let State::Taken(session) = &mut self.state else {
                return Err(io::ErrorKind::BrokenPipe.into());
            };
            if session.output().capacity() == 0 {
                *session.output() = MADE.try_with(Cell::take).unwrap_or_default();
            }
            self.encrypted = session.write(slices)?;
            let length: usize = slices.iter().map(|slice| slice.len()).sum();
            let is_end_next = is_end_next && self.encrypted == length;
            if is_end_next {
                self.end_session();
            }
            self.send_records(is_end_next)?;
        }
        Ok(mem::take(&mut self.encrypted))
    }

    /// Sends the records that there are.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.send_records(false)
    }

    fn send_records(&mut self, is_end_next: bool) -> io::Result<()> {
        let State::Taken(session) = &mut self.state else {
            return Ok(());
        };
        let output = session.output();
        if output.is_empty() {
            return Ok(());
        }
        let mut sent = 0;
        while sent < output.len() {
            match self
                .socket
                .write(&[IoSlice::new(&output[sent..])], is_end_next)
            {
                Ok(n) => sent += n,
                Err(error) => {
                    output.drain(..sent);
                    return Err(error);
                }
            }
        }
        let mut output = mem::take(output);
        output.clear();
        output.shrink_to(KEPT);
        let _ = MADE.try_with(|made| made.set(output));
        Ok(())
    }

    /// Whether records wait for the kernel that no write made.
    pub(crate) fn has_unsent(&mut self) -> bool {
        self.unsent() > 0
    }

    fn unsent(&mut self) -> usize {
        match &mut self.state {
            State::Taken(session) => session.output().len(),
            _ => 0,
        }
    }

    /// Tells the peer that no more comes, then sends FIN. Where that would block, it has to be called again.
    pub(crate) fn shutdown(&mut self) -> io::Result<()> {
        self.end_session();
        self.send_records(true)?;
        self.socket.shutdown()
    }

    fn end_session(&mut self) {
        if let State::Taken(session) = &mut self.state
            && !mem::replace(&mut self.is_shut, true)
        {
            session.shutdown();
        }
    }
}
