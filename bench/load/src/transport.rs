//! What carries the bytes of a connection.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::fd::AsRawFd;

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};

use crate::Failure;

/// A socket, or a layer over one. Which it is is known when a mode is compiled: plain connections pay nothing for TLS.
pub trait Transport: Read + Write + Sized {
    /// Over a socket that may still be connecting.
    fn over(socket: TcpStream) -> Result<Self, Failure>;

    /// What is below.
    fn socket(&self) -> &TcpStream;

    /// Has a poll watch it.
    fn register(&self, registry: &Registry, token: Token) -> Result<(), Failure> {
        let interest = Interest::READABLE | Interest::WRITABLE;
        let descriptor = self.socket().as_raw_fd();
        Ok(registry.register(&mut SourceFd(&descriptor), token, interest)?)
    }
}

impl Transport for TcpStream {
    fn over(socket: TcpStream) -> Result<Self, Failure> {
        Ok(socket)
    }

    fn socket(&self) -> &TcpStream {
        self
    }
}
