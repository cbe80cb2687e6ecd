//! An echo server without anything around it: the floor under all others, and the peer of clients.

use std::io::{ErrorKind, IoSlice};
use std::net::TcpStream;

use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Registry, Token};

use crate::Failure;
use crate::dial::{accept_key, address, field};
use crate::frame::{self, Header};
use crate::settings::Settings;
use crate::tls::{self, Tls};
use crate::transport::Transport;

/// Bytes read at once.
const CHUNK: usize = 256 * 1024;

/// From here on a payload goes to the kernel from where it lies.
const LARGE: usize = 16 * 1024;

const LISTENER: Token = Token(usize::MAX);

/// Serves until the process is killed, over TLS if there is a certificate.
pub fn run(settings: &Settings) -> Result<(), Failure> {
    if settings.has("cert") {
        let config = tls::server_config(settings)?;
        serve(|socket| Tls::accept(socket, &config))
    } else {
        serve(Ok)
    }
}

fn serve<T: Transport>(accept: impl Fn(TcpStream) -> Result<T, Failure>) -> Result<(), Failure> {
    let mut poll = Poll::new()?;
    let mut listener = TcpListener::bind(address(0))?;
    poll.registry()
        .register(&mut listener, LISTENER, Interest::READABLE)?;
    println!("{}", listener.local_addr()?.port());
    let mut connections: Vec<Option<Connection<T>>> = Vec::new();
    let mut free = Vec::new();
    let mut events = Events::with_capacity(1024);
    let mut chunk = vec![0; CHUNK];
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            result => result?,
        }
        for event in &events {
            if event.token() == LISTENER {
                while let Some(socket) = next(&listener)? {
                    let index = free.pop().unwrap_or(connections.len());
                    let connection = Connection::new(poll.registry(), accept(socket)?, index)?;
                    if index == connections.len() {
                        connections.push(None);
                    }
                    connections[index] = Some(connection);
                }
                continue;
            }
            let index = event.token().0;
            let Some(connection) = &mut connections[index] else {
                continue;
            };
            if !connection.turn(&mut chunk).unwrap_or(false) {
                connections[index] = None;
                free.push(index);
            }
        }
    }
}

fn next(listener: &TcpListener) -> Result<Option<TcpStream>, Failure> {
    match listener.accept() {
        Ok((socket, _)) => Ok(Some(socket.into())),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error.into()),
    }
}

struct Connection<T> {
    stream: T,
    is_open: bool,
    is_closing: bool,
    /// The beginning of a head or frame.
    pending: Vec<u8>,
    /// What the kernel did not take.
    unsent: Vec<u8>,
}

impl<T: Transport> Connection<T> {
    fn new(registry: &Registry, stream: T, index: usize) -> Result<Self, Failure> {
        stream.socket().set_nodelay(true)?;
        stream.register(registry, Token(index))?;
        Ok(Self {
            stream,
            is_open: false,
            is_closing: false,
            pending: Vec::new(),
            unsent: Vec::new(),
        })
    }

    /// Returns whether the connection goes on.
    fn turn(&mut self, chunk: &mut [u8]) -> Result<bool, Failure> {
        self.stream.flush()?;
        let unsent = std::mem::take(&mut self.unsent);
        self.send(&unsent, &[])?;
        loop {
            let count = match self.stream.read(chunk) {
                Ok(0) => return Ok(false),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            if self.pending.is_empty() {
                let used = self.take(&mut chunk[..count])?;
                self.pending.extend_from_slice(&chunk[used..count]);
            } else {
                self.pending.extend_from_slice(&chunk[..count]);
                let mut pending = std::mem::take(&mut self.pending);
                let used = self.take(&mut pending)?;
                pending.drain(..used);
                self.pending = pending;
            }
            if self.is_closing {
                return Ok(false);
            }
            // A short read has emptied the socket.
            if count < chunk.len() {
                return Ok(true);
            }
        }
    }

    /// Answers what is complete. Returns how many bytes that was.
    fn take(&mut self, bytes: &mut [u8]) -> Result<usize, Failure> {
        if !self.is_open {
            return self.upgrade(bytes);
        }
        let mut out = Vec::new();
        let mut used = 0;
        while let Some(Header {
            first,
            size,
            length,
            key,
        }) = Header::parse(&bytes[used..])
            && let Some(payload) = bytes.get_mut(used + size..used + size + length)
        {
            used += size + length;
            if let Some(key) = key {
                frame::mask(payload, key);
            }
            frame::push_header(&mut out, first, length, None);
            if length < LARGE {
                out.extend_from_slice(payload);
            } else {
                self.send(&out, payload)?;
                out.clear();
            }
            self.is_closing |= first == frame::CLOSE;
        }
        self.send(&out, &[])?;
        Ok(used)
    }

    fn upgrade(&mut self, bytes: &[u8]) -> Result<usize, Failure> {
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
            return Ok(0);
        };
        let head = String::from_utf8_lossy(&bytes[..end]);
        let key = field(&head, "sec-websocket-key").ok_or("no key")?;
        let response = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {}\r\n\r\n",
            accept_key(key)
        );
        self.send(response.as_bytes(), &[])?;
        self.is_open = true;
        Ok(end + 4)
    }

    /// Sends two parts behind what is unsent.
    fn send(&mut self, first: &[u8], second: &[u8]) -> Result<(), Failure> {
        let mut sent = 0;
        while self.unsent.is_empty() && sent < first.len() + second.len() {
            let rest = first.get(sent..).unwrap_or_default();
            let result = if rest.is_empty() || second.is_empty() {
                self.stream.write(if rest.is_empty() {
                    &second[sent - first.len()..]
                } else {
                    rest
                })
            } else {
                self.stream
                    .write_vectored(&[IoSlice::new(rest), IoSlice::new(second)])
            };
            match result {
                Ok(count) => sent += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.unsent
            .extend_from_slice(first.get(sent..).unwrap_or_default());
        self.unsent
            .extend_from_slice(&second[sent.saturating_sub(first.len()).min(second.len())..]);
        Ok(())
    }
}
