//! Connections that keep a number of messages under way, each answered by the same message.

use std::io::{ErrorKind, Read, Write};
use std::rc::Rc;

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::Failure;
use crate::content::Content;
use crate::deflate::{Deflate, Inflater};
use crate::dial::dial;
use crate::frame;
use crate::meter::Meter;
use crate::settings::Settings;
use crate::tape::{Cursor, Tape};

/// Bytes read at once.
const CHUNK: usize = 256 * 1024;

/// Loads an echo server.
pub fn run(settings: &Settings) -> Result<(), Failure> {
    let port = settings.get("port")?;
    let count: usize = settings.get("connections")?;
    let window: usize = settings.get("window")?;
    let script = Script::new(settings, window)?;
    let offer = script.deflate.map(Deflate::offer);
    let mut poll = Poll::new()?;
    let mut connections = Vec::with_capacity(count);
    for index in 0..count {
        let (stream, extensions) = dial(port, offer)?;
        if let Some(deflate) = script.deflate {
            deflate.check(extensions.as_deref())?;
        }
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        let interest = Interest::READABLE | Interest::WRITABLE;
        poll.registry()
            .register(&mut stream, Token(index), interest)?;
        connections.push(Connection::new(stream, &script, index, window));
    }

    let mut meter = Meter::new(settings)?;
    for connection in &mut connections {
        connection.send(window)?;
    }
    let mut events = Events::with_capacity(1024);
    let mut chunk = vec![0; CHUNK];
    while let Some(timeout) = meter.remaining()? {
        match poll.poll(&mut events, Some(timeout)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            result => result?,
        }
        for event in &events {
            let connection = &mut connections[event.token().0];
            if event.is_writable() {
                connection.send(0)?;
            }
            if event.is_readable() {
                connection.receive(&mut chunk, &mut meter)?;
            }
        }
    }
    meter.report()
}

/// What is sent and what must come back.
struct Script {
    deflate: Option<Deflate>,
    first: u8,
    messages: Rc<Vec<Vec<u8>>>,
    requests: Rc<Tape>,
    /// Not with compression: how a peer compresses is not known beforehand.
    echoes: Option<Rc<Tape>>,
}

impl Script {
    fn new(settings: &Settings, window: usize) -> Result<Self, Failure> {
        /// A tape is about this long, so that it stays in the cache.
        const LENGTH: usize = 256 * 1024;
        let size: usize = settings.get("size")?;
        let content: Content = settings.get("content")?;
        let deflate: Option<Deflate> = settings.find("deflate")?;
        let first = if content.is_text() {
            frame::TEXT
        } else {
            frame::BINARY
        };
        let turn = match deflate {
            Some(_) => Deflate::turn(size).max(window),
            None => (LENGTH / size.max(1)).clamp(2, 64).max(window),
        };
        let messages = Rc::new(content.messages(size, turn));
        let tape = |key| {
            let frame = |message: &Vec<u8>| {
                let mut bytes = Vec::new();
                frame::push(&mut bytes, first, message, key);
                bytes
            };
            Tape::new(messages.iter().map(frame), 0)
        };
        let (requests, echoes) = match deflate {
            Some(deflate) => (deflate.tape(first, &messages)?, None),
            None => (tape(Some(frame::KEY)), Some(tape(None))),
        };
        Ok(Self {
            deflate,
            first,
            messages,
            requests,
            echoes,
        })
    }

    /// Connections begin at different places, so that a server that mixes them up is found out.
    fn check(&self, index: usize) -> (Cursor, Check) {
        match (self.deflate, &self.echoes) {
            (None, Some(echoes)) => (
                Cursor::new(&self.requests, index),
                Check::Same(Cursor::new(echoes, index)),
            ),
            (deflate, _) => {
                let deflate = deflate.unwrap_or(Deflate::NoTakeover);
                let inflater = Inflater::new(deflate, self.first, &self.messages);
                let begin = Cursor::new(&self.requests, 0);
                (begin, Check::Inflated(Box::new(inflater)))
            }
        }
    }
}

enum Check {
    Same(Cursor),
    Inflated(Box<Inflater>),
}

struct Connection {
    stream: TcpStream,
    requests: Cursor,
    check: Check,
    /// Messages to send, the one half sent included.
    due: usize,
    /// When each message under way was due, as a ring.
    times: Vec<u64>,
    oldest: usize,
}

impl Connection {
    fn new(stream: TcpStream, script: &Script, index: usize, window: usize) -> Self {
        let (requests, check) = script.check(index);
        Self {
            stream,
            requests,
            check,
            due: 0,
            times: vec![0; window],
            oldest: 0,
        }
    }

    /// Sends `count` messages more, as far as the kernel takes them.
    fn send(&mut self, count: usize) -> Result<(), Failure> {
        self.due += count;
        while self.due > 0 {
            let slices = self.requests.slices(self.due);
            let result = if slices[1].is_empty() {
                self.stream.write(&slices[0])
            } else {
                self.stream.write_vectored(&slices)
            };
            match result {
                Ok(written) => self.due -= self.requests.advance(written),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Takes echoes and sends a message for each.
    fn receive(&mut self, chunk: &mut [u8], meter: &mut Meter) -> Result<(), Failure> {
        loop {
            let count = match self.stream.read(chunk) {
                Ok(0) => return Err("the server closed a connection".into()),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            let ended = match &mut self.check {
                Check::Same(echoes) => echoes.expect(&chunk[..count])?,
                Check::Inflated(inflater) => inflater.expect(&chunk[..count])?,
            };
            if ended > 0 {
                let now = meter.now();
                for _ in 0..ended {
                    meter.record(self.times[self.oldest], now);
                    self.times[self.oldest] = now;
                    self.oldest = (self.oldest + 1) % self.times.len();
                }
                self.send(ended)?;
            }
            // A short read has emptied the socket.
            if count < chunk.len() {
                return Ok(());
            }
        }
    }
}
