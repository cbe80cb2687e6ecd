//! Connections that keep a number of messages under way, each answered by the same message.

use std::io::ErrorKind;
use std::net::TcpStream;

use mio::{Events, Poll, Token};

use crate::Failure;
use crate::dial::dial;
use crate::meter::Meter;
use crate::script::{Check, Script};
use crate::settings::Settings;
use crate::tape::Cursor;
use crate::tls::Tls;
use crate::transport::Transport;

/// Bytes read at once.
const CHUNK: usize = 256 * 1024;

/// Loads an echo server.
pub fn run(settings: &Settings) -> Result<(), Failure> {
    if settings.has("tls") {
        load::<Tls>(settings)
    } else {
        load::<TcpStream>(settings)
    }
}

fn load<T: Transport>(settings: &Settings) -> Result<(), Failure> {
    let port = settings.get("port")?;
    let count: usize = settings.get("connections")?;
    let window: usize = settings.get("window")?;
    let script = Script::new(settings, window)?;
    let mut poll = Poll::new()?;
    let mut connections = Vec::with_capacity(count);
    for index in 0..count {
        let (stream, extensions) = dial::<T>(port, script.offer())?;
        script.check_extensions(extensions.as_deref())?;
        stream.socket().set_nonblocking(true)?;
        stream.register(poll.registry(), Token(index))?;
        connections.push(Connection::new(stream, &script, index, window));
    }

    let mut meter = Meter::new(settings)?;
    for connection in &mut connections {
        connection.send(window, &mut meter)?;
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
                connection.send(0, &mut meter)?;
            }
            if event.is_readable() {
                connection.receive(&mut chunk, &mut meter)?;
            }
        }
    }
    meter.report()
}

struct Connection<T> {
    stream: T,
    requests: Cursor,
    check: Check,
    /// Messages to send, the one half sent included.
    due: usize,
    /// When each message under way was due, as a ring.
    times: Vec<u64>,
    oldest: usize,
}

impl<T: Transport> Connection<T> {
    fn new(stream: T, script: &Script, index: usize, window: usize) -> Self {
        let (requests, check) = script.play(index);
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
    fn send(&mut self, count: usize, meter: &mut Meter) -> Result<(), Failure> {
        self.due += count;
        self.stream.flush()?;
        while self.due > 0 {
            let slices = self.requests.slices(self.due);
            let result = if slices[1].is_empty() {
                self.stream.write(&slices[0])
            } else {
                self.stream.write_vectored(&slices)
            };
            match result {
                Ok(written) => {
                    meter.sent(written);
                    self.due -= self.requests.advance(written);
                }
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
            meter.received(count);
            let ended = self.check.expect(&chunk[..count])?;
            if ended > 0 {
                let now = meter.now();
                for _ in 0..ended {
                    meter.record(self.times[self.oldest], now);
                    self.times[self.oldest] = now;
                    self.oldest = (self.oldest + 1) % self.times.len();
                }
                self.send(ended, meter)?;
            }
            // A short read has emptied the socket.
            if count < chunk.len() {
                return Ok(());
            }
        }
    }
}
