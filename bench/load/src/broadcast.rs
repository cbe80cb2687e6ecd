//! Connections of which one sends messages that the server sends to all.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::net::TcpStream;

use mio::{Events, Poll, Token};

use crate::Failure;
use crate::dial::dial;
use crate::meter::Meter;
use crate::script::{Check, Script};
use crate::settings::Settings;
use crate::tls::Tls;
use crate::transport::Transport;

struct Connection<T> {
    stream: T,
    expected: Check,
    /// How many it has.
    delivered: usize,
}

/// A message that not everybody has.
struct Message {
    sent: u64,
    missing: usize,
}

/// Loads a broadcasting server, which has `window` messages to send at a time: the next one leaves when everybody has the
/// first of them. Counts deliveries.
pub fn run(settings: &Settings) -> Result<(), Failure> {
    if settings.has("tls") {
        load::<Tls>(settings)
    } else {
        load::<TcpStream>(settings)
    }
}

fn load<T: Transport>(settings: &Settings) -> Result<(), Failure> {
    let count: usize = settings.get("connections")?;
    let window = settings.get("window")?;
    let script = Script::new(settings, window)?;
    let (mut requests, _) = script.play(0);
    let mut poll = Poll::new()?;
    let mut connections = Vec::with_capacity(count);
    for index in 0..count {
        let (stream, extensions) = dial::<T>(settings.get("port")?, script.offer())?;
        script.check_extensions(extensions.as_deref())?;
        stream.socket().set_nonblocking(true)?;
        stream.register(poll.registry(), Token(index))?;
        connections.push(Connection {
            stream,
            expected: script.listen(index),
            delivered: 0,
        });
    }

    let mut meter = Meter::new(settings)?;
    let mut events = Events::with_capacity(1024);
    let mut chunk = vec![0; 64 * 1024];
    let mut underway: VecDeque<Message> = VecDeque::with_capacity(window);
    let mut done = 0;
    while let Some(timeout) = meter.remaining()? {
        while underway.len() < window {
            underway.push_back(Message {
                sent: meter.now(),
                missing: count,
            });
            // One message: the kernel takes it whole.
            let length = connections[0].stream.write(&requests.slices(1)[0])?;
            meter.sent(length);
            if requests.advance(length) != 1 {
                return Err("the message was not sent at once".into());
            }
        }
        match poll.poll(&mut events, Some(timeout)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            result => result?,
        }
        for event in events.iter().filter(|event| event.is_readable()) {
            let connection = &mut connections[event.token().0];
            let length = match connection.stream.read(&mut chunk) {
                Ok(0) => return Err("the server closed a connection".into()),
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
                Err(error) => return Err(error.into()),
            };
            meter.received(length);
            let now = meter.now();
            for _ in 0..connection.expected.expect(&chunk[..length])? {
                let message = &mut underway[connection.delivered - done];
                meter.record(message.sent, now);
                message.missing -= 1;
                connection.delivered += 1;
            }
        }
        while underway.front().is_some_and(|first| first.missing == 0) {
            underway.pop_front();
            done += 1;
        }
    }
    meter.report()
}
