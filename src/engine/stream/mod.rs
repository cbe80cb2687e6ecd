//! A connected socket, TCP or Unix, with TLS on it or without.

mod options;
mod tls;

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::net::SocketAddr;
#[cfg(unix)]
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::task::{Context, Poll};

use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, Type};
use tokio::io::{AsyncRead, Interest, ReadBuf};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;

use super::address::Address;
#[cfg(unix)]
use super::address::unix_address;
use super::tls::FoundSession;
use crate::protocol::frame::MAX_HEADER_LEN;
pub use options::Probes;
pub use tls::TlsStream;

/// Bytes taken from a socket at once: what Node's `net.Socket` reads, so that one connection's chunk means the same, and
/// a header, so that a message of this size is one chunk.
pub const READ_SIZE: usize = 64 * 1024 + MAX_HEADER_LEN;

/// A peer that is gone is an error of this socket, never a SIGPIPE of the process.
#[cfg(target_os = "linux")]
const NO_SIGNAL: i32 = libc::MSG_NOSIGNAL;
#[cfg(not(target_os = "linux"))]
const NO_SIGNAL: i32 = 0;

/// Bytes wait for those that come next, or for FIN.
#[cfg(target_os = "linux")]
const MORE: i32 = libc::MSG_MORE;
#[cfg(not(target_os = "linux"))]
const MORE: i32 = 0;

/// A socket registered with the runtime it was made in.
pub enum Stream {
    /// TCP over IPv4 or IPv6.
    Tcp(TcpStream),
    /// A Unix domain socket.
    #[cfg(unix)]
    Unix(UnixStream),
    /// One of them below a TLS session.
    Tls(Box<TlsStream>),
}

/// Why no connection can be begun.
pub struct DialError {
    /// What failed.
    pub error: io::Error,
    /// Our end, where the socket had been made.
    pub local: Option<Address>,
}

impl From<io::Error> for DialError {
    fn from(error: io::Error) -> Self {
        Self { error, local: None }
    }
}

macro_rules! each {
    ($stream:expr, $inner:ident => $body:expr, $tls:ident => $other:expr) => {
        match $stream {
            Stream::Tcp($inner) => $body,
            #[cfg(unix)]
            Stream::Unix($inner) => $body,
            Stream::Tls($tls) => $other,
        }
    };
}

impl Stream {
    /// Starts to connect to `to`; the stream becomes writable when that succeeded or failed.
    pub fn dial_tcp(to: SocketAddr) -> Result<Self, DialError> {
        let socket = Socket::new(Domain::for_address(to), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        connect(&socket, &to.into()).map_err(|error| {
            let local = socket.local_addr().ok().and_then(|local| local.as_socket());
            DialError {
                error,
                local: local.map(Address::from),
            }
        })?;
        Ok(Self::Tcp(TcpStream::from_std(socket.into())?))
    }

    /// The same for the Unix domain socket at `path`.
    #[cfg(unix)]
    pub fn dial_unix(path: &[u8]) -> Result<Self, DialError> {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        connect(&socket, &unix_address(path)?)?;
        Ok(Self::Unix(UnixStream::from_std(socket.into())?))
    }

    /// Duplicates the connected socket behind `fd`, which stays its owner's and does not block: TCP, or a Unix domain
    /// socket.
    #[cfg(unix)]
    pub fn duplicate(fd: std::os::fd::BorrowedFd<'_>, is_tcp: bool) -> io::Result<Self> {
        let fd = fd.try_clone_to_owned()?;
        if is_tcp {
            Ok(Self::Tcp(TcpStream::from_std(fd.into())?))
        } else {
            Ok(Self::Unix(UnixStream::from_std(fd.into())?))
        }
    }

    /// Gives the socket away.
    #[cfg(unix)]
    pub(super) fn into_fd(self) -> io::Result<OwnedFd> {
        each!(self, stream => stream.into_std().map(OwnedFd::from), _tls => Err(io::ErrorKind::Unsupported.into()))
    }

    fn socket(&self) -> SockRef<'_> {
        each!(self, stream => SockRef::from(stream), tls => tls.socket().socket())
    }

    /// Reads at most `room` bytes, after what is in `buffer`, which has the room; with `is_chunk` what Node gives programs at
    /// once, of TLS one record. Not ready: `context` is woken when there is something.
    pub(super) fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut Vec<u8>,
        room: usize,
        is_chunk: bool,
    ) -> Poll<io::Result<usize>> {
        let mut spare = ReadBuf::uninit(&mut buffer.spare_capacity_mut()[..room]);
        let result = each!(
            self,
            stream => Pin::new(stream).poll_read(context, &mut spare),
            tls => return tls.poll_read(context, buffer, room, is_chunk)
        );
        let read = spare.filled().len();
        // SAFETY: `ReadBuf` counts only bytes that were written, and had no more than the spare capacity.
        unsafe { buffer.set_len(buffer.len() + read) };
        result.map_ok(|()| read)
    }

    /// The same, whether or not the runtime has heard that there is something, and without being told when there is more.
    pub(super) fn read_now(
        &mut self,
        buffer: &mut Vec<u8>,
        room: usize,
        is_chunk: bool,
    ) -> Poll<io::Result<usize>> {
        if let Self::Tls(tls) = self {
            return tls.read_now(buffer, room, is_chunk);
        }
        match self.socket().recv(&mut buffer.spare_capacity_mut()[..room]) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
            Ok(read) => {
                // SAFETY: the system wrote so many bytes, and had no more than the spare capacity.
                unsafe { buffer.set_len(buffer.len() + read) };
                Poll::Ready(Ok(read))
            }
        }
    }

    /// Whether there are bytes to read that the kernel has given already.
    pub(super) fn is_ahead(&self) -> bool {
        matches!(self, Self::Tls(tls) if tls.is_ahead())
    }

    /// Whether the kernel has something to read: bytes, the end or a failure.
    pub(super) fn has_unread(&self) -> bool {
        let mut byte = [MaybeUninit::uninit()];
        let peeked = self.socket().peek(&mut byte);
        !matches!(peeked, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Has `context` woken when there is something to read; ready when there is already.
    pub(super) fn poll_read_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, stream => stream.poll_read_ready(context), tls => {
            if tls.is_readable() {
                return Poll::Ready(Ok(()));
            }
            tls.socket().poll_read_ready(context)
        })
    }

    /// Has `context` woken when there is room to write; ready when there is already.
    pub(super) fn poll_write_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(
            self,
            stream => stream.poll_write_ready(context),
            tls => tls.socket().poll_write_ready(context)
        )
    }

    /// Writes what the kernel takes. What blocks has to be tried again with the same bytes, and maybe more after them:
    /// they may be encrypted already. If [`Stream::shutdown`] comes next, the end leaves with these bytes.
    pub(super) fn write(&mut self, slices: &[IoSlice<'_>], is_end_next: bool) -> io::Result<usize> {
        match self {
            Self::Tls(tls) => tls.write(slices, is_end_next),
            _ => self.write_bare(slices, is_end_next),
        }
    }

    fn write_bare(&self, slices: &[IoSlice<'_>], is_end_next: bool) -> io::Result<usize> {
        let send = || loop {
            match self.send_slices(slices, is_end_next) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        };
        match send() {
            // The runtime must see the refusal itself to know that it has to wait for room.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                each!(
                    self,
                    stream => stream.try_io(Interest::WRITABLE, send),
                    _tls => Err(error)
                )
            }
            result => result,
        }
    }

    fn send_slices(&self, slices: &[IoSlice<'_>], is_end_next: bool) -> io::Result<usize> {
        let flags = NO_SIGNAL | if is_end_next { MORE } else { 0 };
        match slices {
            [slice] => self.socket().send_with_flags(slice, flags),
            _ => self.socket().send_vectored_with_flags(slices, flags),
        }
    }

    /// The error a dial ended with, if any.
    pub(super) fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.socket().take_error()
    }

    /// Sends FIN, and what TLS says before. Where that blocks it has to be tried again.
    pub(super) fn shutdown(&mut self) -> io::Result<()> {
        match self {
            Self::Tls(tls) => tls.shutdown(),
            _ => self.socket().shutdown(std::net::Shutdown::Write),
        }
    }

    /// Puts a session of Node's on the socket, which has to be taken over before anything is read or written.
    pub fn with_session(self, session: FoundSession) -> Self {
        Self::Tls(Box::new(TlsStream::new(self, session)))
    }

    /// Sends what the session has made that is not sent yet.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.tls().map_or(Ok(()), TlsStream::flush)
    }

    /// The session.
    pub(super) fn tls(&mut self) -> Option<&mut TlsStream> {
        match self {
            Self::Tls(tls) => Some(tls),
            _ => None,
        }
    }

    /// Whether it can be read and written.
    pub(super) fn is_ready(&self) -> bool {
        match self {
            Self::Tls(tls) => tls.is_taken(),
            _ => true,
        }
    }

    /// Has the next close send RST instead of FIN.
    pub(super) fn reset_on_close(&self) -> io::Result<()> {
        self.socket().set_linger(Some(std::time::Duration::ZERO))
    }

    /// Our end; none for Unix sockets.
    pub fn local_address(&self) -> Option<Address> {
        match self {
            Self::Tcp(stream) => stream.local_addr().ok().map(Address::from),
            #[cfg(unix)]
            Self::Unix(_) => None,
            Self::Tls(tls) => tls.socket().local_address(),
        }
    }

    /// The peer's end; none for Unix sockets.
    pub fn remote_address(&self) -> Option<Address> {
        match self {
            Self::Tcp(stream) => stream.peer_addr().ok().map(Address::from),
            #[cfg(unix)]
            Self::Unix(_) => None,
            Self::Tls(tls) => tls.socket().remote_address(),
        }
    }

    /// The descriptor's number, for those who only show it.
    pub fn descriptor(&self) -> Option<i32> {
        #[cfg(unix)]
        {
            use std::os::fd::AsRawFd;
            each!(self, stream => Some(stream.as_raw_fd()), tls => tls.socket().descriptor())
        }
        #[cfg(not(unix))]
        None
    }
}

/// On Unix EAGAIN is a refusal: the backlog of a Unix domain socket is full, or there is no port left.
fn connect(socket: &Socket, address: &SockAddr) -> io::Result<()> {
    match socket.connect(address) {
        #[cfg(unix)]
        Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => Ok(()),
        #[cfg(not(unix))]
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
        result => result,
    }
}

/// Whether the kernel has no memory for a write at the moment, which is no error in libuv.
pub(super) fn is_short_of_buffers(error: &io::Error) -> bool {
    #[cfg(unix)]
    return error.raw_os_error() == Some(libc::ENOBUFS);
    #[cfg(not(unix))]
    false
}
