//! As many connections as a process can have, which answer pings and note how late broadcasts come.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mio::event::Event;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Registry, Token, Waker};
use socket2::SockRef;

use crate::Failure;
use crate::dial::{is_accepted, request};
use crate::frame::{self, Header};
use crate::histogram::Histogram;
use crate::settings::Settings;

/// Where lines on stdin are announced; the other tokens are those of connections.
const LINES: Token = Token(usize::MAX);

/// Obeys lines on stdin and answers each with one of JSON: `open N` opens N more connections, `window` at a time, `count`
/// tells what has come since it was last asked. At the end of stdin they are closed.
pub fn run(settings: &Settings) -> Result<(), Failure> {
    let mut poll = Poll::new()?;
    let lines = lines(Waker::new(poll.registry(), LINES)?);
    let mut crowd = Crowd::new(settings)?;
    let mut events = Events::with_capacity(1024);
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            result => result?,
        }
        for event in &events {
            if event.token() != LINES {
                crowd.turn(event);
                continue;
            }
            loop {
                match lines.try_recv() {
                    Ok(line) => crowd.obey(&line)?,
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => return Ok(()),
                }
            }
        }
        crowd.dial(poll.registry());
    }
}

/// The lines of stdin, which cannot be polled whatever it is.
fn lines(waker: Waker) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in std::io::stdin().lines() {
            let Ok(line) = line else { break };
            if sender.send(line).is_err() || waker.wake().is_err() {
                return;
            }
        }
        drop(sender);
        // Nobody is left to be told, if that fails.
        let _ = waker.wake();
    });
    receiver
}

/// All connections of this process.
struct Crowd {
    addresses: Vec<SocketAddr>,
    request: String,
    window: usize,
    connections: Vec<Option<Connection>>,
    chunk: Vec<u8>,
    opening: Option<Opening>,
    tally: Tally,
}

/// An `open` that is being obeyed.
struct Opening {
    begin: Instant,
    missing: usize,
    underway: usize,
    opened: usize,
    times: Histogram,
    /// The first failure ends it.
    error: Option<String>,
}

/// What has come.
struct Tally {
    pings: usize,
    messages: usize,
    closed: usize,
    lateness: Histogram,
}

impl Tally {
    fn new() -> Self {
        Self {
            pings: 0,
            messages: 0,
            closed: 0,
            lateness: Histogram::new(),
        }
    }
}

struct Connection {
    stream: TcpStream,
    phase: Phase,
    /// The beginning of a head or frame.
    pending: Vec<u8>,
}

enum Phase {
    Dialling(Instant),
    Upgrading(Instant),
    Open,
}

impl Crowd {
    /// Settings: `addresses` and `port` of the server, and `window`. With one address the kernel would look for a free port
    /// for longer and longer.
    fn new(settings: &Settings) -> Result<Self, Failure> {
        let list: String = settings.get("addresses")?;
        let port = settings.get("port")?;
        let addresses: Result<_, _> = list.split(',').map(str::parse::<IpAddr>).collect();
        let addresses: Vec<IpAddr> = addresses?;
        Ok(Self {
            addresses: addresses
                .iter()
                .map(|&address| (address, port).into())
                .collect(),
            request: request(port, None),
            window: settings.get("window")?,
            connections: Vec::new(),
            chunk: vec![0; 64 * 1024],
            opening: None,
            tally: Tally::new(),
        })
    }

    fn obey(&mut self, line: &str) -> Result<(), Failure> {
        if let Some(("open", count)) = line.split_once(' ') {
            self.opening = Some(Opening {
                begin: Instant::now(),
                missing: count.parse()?,
                underway: 0,
                opened: 0,
                times: Histogram::new(),
                error: None,
            });
            return Ok(());
        }
        let tally = std::mem::replace(&mut self.tally, Tally::new());
        println!(
            "{{\"pings\":{},\"messages\":{},\"closed\":{},\"p50\":{:.0},\"p99\":{:.0},\"last\":{:.0}}}",
            tally.pings,
            tally.messages,
            tally.closed,
            tally.lateness.quantile(0.5),
            tally.lateness.quantile(0.99),
            tally.lateness.quantile(1.0),
        );
        Ok(())
    }

    /// Starts as many as there is room for, and tells when all are open.
    fn dial(&mut self, registry: &Registry) {
        let Some(opening) = &mut self.opening else {
            return;
        };
        while opening.missing > 0 && opening.underway < self.window {
            let index = self.connections.len();
            let address = self.addresses[index % self.addresses.len()];
            match Connection::start(address, registry, index) {
                Ok(connection) => self.connections.push(Some(connection)),
                Err(error) => {
                    opening.fail(&error.into());
                    break;
                }
            }
            opening.missing -= 1;
            opening.underway += 1;
        }
        if opening.missing + opening.underway > 0 {
            return;
        }
        println!(
            "{{\"opened\":{},\"seconds\":{:.3},\"p50\":{:.0},\"p99\":{:.0},\"error\":{:?}}}",
            opening.opened,
            opening.begin.elapsed().as_secs_f64(),
            opening.times.quantile(0.5),
            opening.times.quantile(0.99),
            opening.error.as_deref().unwrap_or_default(),
        );
        self.opening = None;
    }

    fn turn(&mut self, event: &Event) {
        let place = &mut self.connections[event.token().0];
        let Some(connection) = place else { return };
        let was_open = matches!(connection.phase, Phase::Open);
        let result = connection.turn(event, &self.request, &mut self.chunk, &mut self.tally);
        let is_open = matches!(connection.phase, Phase::Open);
        if let Some(opening) = self.opening.as_mut().filter(|_| !was_open) {
            match &result {
                Ok(since) if is_open => {
                    opening.underway -= 1;
                    opening.opened += 1;
                    let time = since.map(|since| since.elapsed().as_nanos() as u64);
                    opening.times.record(time.unwrap_or_default());
                }
                Ok(_) => {}
                Err(error) => {
                    opening.underway -= 1;
                    opening.fail(error);
                }
            }
        }
        if result.is_err() {
            self.tally.closed += usize::from(was_open);
            *place = None;
        }
    }
}

impl Opening {
    fn fail(&mut self, error: &Failure) {
        self.missing = 0;
        self.error.get_or_insert_with(|| error.to_string());
    }
}

impl Connection {
    fn start(address: SocketAddr, registry: &Registry, index: usize) -> std::io::Result<Self> {
        let mut stream = TcpStream::connect(address)?;
        // So many would block their ports for a minute when they are closed.
        SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        registry.register(&mut stream, Token(index), interest)?;
        Ok(Self {
            stream,
            phase: Phase::Dialling(Instant::now()),
            pending: Vec::new(),
        })
    }

    /// Returns since when it was dialled, if it is open from here on. Fails when it has ended.
    fn turn(
        &mut self,
        event: &Event,
        request: &str,
        chunk: &mut [u8],
        tally: &mut Tally,
    ) -> Result<Option<Instant>, Failure> {
        if let Phase::Dialling(since) = self.phase
            && event.is_writable()
        {
            self.send(request.as_bytes())?;
            self.phase = Phase::Upgrading(since);
        }
        if !event.is_readable() {
            return Ok(None);
        }
        loop {
            match self.stream.read(chunk) {
                Ok(0) => return Err("the server closed a connection".into()),
                Ok(count) => self.pending.extend_from_slice(&chunk[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        if let Phase::Upgrading(since) = self.phase {
            if !is_accepted(&self.pending)? {
                return Ok(None);
            }
            self.phase = Phase::Open;
            self.pending = Vec::new();
            return Ok(Some(since));
        }
        let pending = std::mem::take(&mut self.pending);
        let used = self.take(&pending, tally)?;
        // What is complete leaves no memory behind.
        if used < pending.len() {
            self.pending = pending[used..].to_vec();
        }
        Ok(None)
    }

    /// Takes the frames that are complete. Returns how many bytes these have.
    fn take(&mut self, bytes: &[u8], tally: &mut Tally) -> Result<usize, Failure> {
        let mut used = 0;
        while let Some(header) = Header::parse(&bytes[used..])
            && let Some(payload) = bytes
                .get(used + header.size..)
                .and_then(|rest| rest.get(..header.length))
        {
            used += header.size + header.length;
            match header.first {
                frame::PING => {
                    let mut pong = Vec::new();
                    frame::push(&mut pong, frame::PONG, payload, Some(frame::KEY));
                    self.send(&pong)?;
                    tally.pings += 1;
                }
                frame::BINARY => {
                    tally.messages += 1;
                    tally.lateness.record(lateness(payload)?);
                }
                first => return Err(format!("a frame that begins with {first:#x}").into()),
            }
        }
        Ok(used)
    }

    /// The few bytes of a request or pong: the kernel takes them whole.
    fn send(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        match self.stream.write(bytes)? {
            length if length == bytes.len() => Ok(()),
            _ => Err("a few bytes were not sent at once".into()),
        }
    }
}

/// Nanoseconds since a broadcast was sent: it begins with the microseconds since 1970, in little-endian order.
fn lateness(payload: &[u8]) -> Result<u64, Failure> {
    let sent = payload.first_chunk().ok_or("a message without its time")?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros() as u64;
    Ok(now.saturating_sub(u64::from_le_bytes(*sent)) * 1000)
}
