//! Connections that are opened and closed again.

use std::io::ErrorKind;
use std::net::TcpStream;

use mio::event::Event;
use mio::{Events, Poll, Registry, Token};

use crate::Failure;
use crate::dial::{address, is_accepted, request};
use crate::frame;
use crate::meter::Meter;
use crate::settings::Settings;
use crate::tls::Tls;
use crate::transport::Transport;

/// The status code of a normal closure (RFC 6455, section 7.4.1).
const NORMAL: [u8; 2] = 1000u16.to_be_bytes();

enum Phase {
    Dialling,
    Upgrading,
    Closing,
}

/// Loads a server with `connections` at a time. Counts those that were opened and closed cleanly; the latency is that
/// of the opening.
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
    let request = request(port, None);
    let mut poll = Poll::new()?;
    let mut meter = Meter::new(settings)?;
    let mut attempts = Vec::with_capacity(count);
    for index in 0..count {
        attempts.push(Attempt::<T>::start(
            poll.registry(),
            index,
            port,
            meter.now(),
        )?);
    }
    let mut events = Events::with_capacity(1024);
    while let Some(timeout) = meter.remaining()? {
        match poll.poll(&mut events, Some(timeout)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            result => result?,
        }
        for event in &events {
            let index = event.token().0;
            let attempt = &mut attempts[index];
            if attempt.proceed(event, &request, &meter)? {
                meter.record(0, attempt.opening);
                *attempt = Attempt::start(poll.registry(), index, port, meter.now())?;
            }
        }
    }
    meter.report()
}

struct Attempt<T> {
    stream: T,
    phase: Phase,
    begin: u64,
    /// Nanoseconds from the dial to the response.
    opening: u64,
    received: Vec<u8>,
}

impl<T: Transport> Attempt<T> {
    fn start(registry: &Registry, index: usize, port: u16, now: u64) -> Result<Self, Failure> {
        let stream = T::over(mio::net::TcpStream::connect(address(port))?.into())?;
        stream.register(registry, Token(index))?;
        Ok(Self {
            stream,
            phase: Phase::Dialling,
            begin: now,
            opening: 0,
            received: Vec::new(),
        })
    }

    /// Returns whether the connection is closed.
    fn proceed(&mut self, event: &Event, request: &str, meter: &Meter) -> Result<bool, Failure> {
        if matches!(self.phase, Phase::Dialling) && event.is_writable() {
            self.send(request.as_bytes())?;
            self.phase = Phase::Upgrading;
        }
        let ended = event.is_readable() && self.receive()?;
        if matches!(self.phase, Phase::Upgrading) && is_accepted(&self.received)? {
            self.opening = meter.now() - self.begin;
            self.received.clear();
            let mut close = Vec::new();
            frame::push(&mut close, frame::CLOSE, &NORMAL, Some(frame::KEY));
            self.send(&close)?;
            self.phase = Phase::Closing;
        }
        if !ended {
            return Ok(false);
        }
        let mut close = Vec::new();
        frame::push(&mut close, frame::CLOSE, &NORMAL, None);
        if self.received != close {
            return Err(format!("closed after {:02x?}", self.received).into());
        }
        Ok(true)
    }

    /// The few bytes of a handshake: the kernel takes them whole.
    fn send(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        match self.stream.write(bytes)? {
            length if length == bytes.len() => Ok(()),
            _ => Err("a handshake was not sent at once".into()),
        }
    }

    /// Returns whether the peer has sent FIN.
    fn receive(&mut self) -> Result<bool, Failure> {
        let mut buffer = [0; 4096];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return Ok(true),
                Ok(count) => self.received.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
