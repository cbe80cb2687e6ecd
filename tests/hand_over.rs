//! The driver changes in the middle of traffic, again and again: nothing is lost, doubled or out of order.
//!
//! Also run under ThreadSanitizer and Miri: `npm run test:threads`.

use std::io;
use std::mem;
use std::net::{self, Ipv4Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, mpsc};
use std::thread::{self, JoinHandle};

use oxws::engine::{
    Batch, Connection, Effort, Engine, FanOut, Flush, Frame, Kind, Opening, PendingFrame, Pollable,
    Receiver, ReceiverList, Receivers, SharedFrame, Stream,
};
use oxws::handshake::HeadLimits;
use oxws::protocol::deflate::{DeflateParams, InflateParams, POOL_LEN, Params};
use oxws::protocol::frame::opcode;
use oxws::protocol::{Config, Endpoint, FrameFlags, Limits, Role};
use tokio::net::TcpStream;

/// Pairs of connections that talk with each other.
const PAIRS: usize = if cfg!(miri) { 1 } else { 8 };
/// Messages each of them sends, and how many of them before it has got one.
const MESSAGES: u32 = if cfg!(miri) { 6 } else { 400 };
const WINDOW: u32 = 3;
/// Deliveries between two hand-overs.
const PERIOD: usize = 2;

/// What a thread that drives has produced, and that JavaScript would be woken for.
#[derive(Default)]
struct Outbox {
    batches: Mutex<Vec<Batch>>,
    filled: Condvar,
}

impl Outbox {
    fn push(&self, batch: Batch) {
        self.lock().push(batch);
        self.filled.notify_one();
    }

    fn take(&self) -> Vec<Batch> {
        mem::take(&mut *self.lock())
    }

    fn wait(&self) -> Vec<Batch> {
        let is_empty = |batches: &mut Vec<Batch>| batches.is_empty();
        let batches = self.filled.wait_while(self.lock(), is_empty);
        mem::take(&mut *batches.expect("no thread panics"))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Batch>> {
        self.batches.lock().expect("no thread panics")
    }
}

/// Stands for the I/O thread of the addon.
struct IoThread {
    engine: Arc<Engine>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl IoThread {
    fn start(engine: &Arc<Engine>, outbox: &Arc<Outbox>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let thread = thread::spawn({
            let (engine, outbox, stop) =
                (Arc::clone(engine), Arc::clone(outbox), Arc::clone(&stop));
            move || {
                while !stop.load(Ordering::Acquire) {
                    engine.wait();
                    let batch = poll(&engine);
                    if !batch.is_empty() {
                        outbox.push(batch);
                    }
                }
            }
        });
        Self {
            engine: Arc::clone(engine),
            stop,
            thread,
        }
    }

    fn stop(self) {
        self.stop.store(true, Ordering::Release);
        self.engine.interrupt();
        self.thread.join().expect("no thread panics");
    }
}

/// Polls each source that is ready.
fn poll(engine: &Engine) -> Batch {
    let mut sources: Vec<Pollable> = Vec::new();
    let mut batch = Batch::default();
    engine.take_ready(&mut sources);
    for source in sources {
        source.poll(&mut batch);
    }
    batch
}

/// One end, and how far it is.
struct End {
    connection: Arc<Connection>,
    flags: FrameFlags,
    sent: u32,
    received: u32,
    is_closed: bool,
}

impl End {
    fn send_next(&mut self, flush: Flush) {
        if self.sent < MESSAGES {
            let payload = message(self.sent);
            self.sent += 1;
            self.connection
                .send(payload.into(), self.flags, [0; 4], flush);
        }
    }
}

/// Its number, and as many bytes as the number says: now and then enough for a job.
fn message(number: u32) -> Vec<u8> {
    let len = match number % 16 {
        5 => POOL_LEN + number as usize,
        9 if !cfg!(miri) => 300_000,
        _ => (number % 7 * 100) as usize,
    };
    let mut payload = number.to_be_bytes().to_vec();
    payload.extend((0..len).map(|i| (i as u32 ^ number) as u8 & 0xf));
    payload
}

/// What JavaScript does: one thread, whoever drives.
struct World {
    engine: Arc<Engine>,
    outbox: Arc<Outbox>,
    thread: Option<IoThread>,
    ends: Vec<End>,
    deliveries: usize,
}

impl World {
    fn new() -> Self {
        let engine = Engine::new(|| {}).expect("a runtime");
        let mut ends = Vec::new();
        for pair in 0..PAIRS {
            let (one, other) = engine.enter(sockets).expect("sockets");
            for (stream, role) in [(one, Role::Server), (other, Role::Client)] {
                ends.push(end(&engine, stream, role, ends.len() as u32, pair % 2 == 0));
            }
        }
        Self {
            engine,
            outbox: Arc::default(),
            thread: None,
            ends,
            deliveries: 0,
        }
    }

    /// How what is sent now leaves.
    fn flush(&self) -> Flush {
        match self.thread {
            Some(_) => Flush::OnIoThread,
            None => Flush::EndOfTick,
        }
    }

    fn begin(&mut self) {
        let flush = self.flush();
        for end in &mut self.ends {
            for _ in 0..WINDOW {
                end.send_next(flush);
            }
            end_tick(&end.connection, flush);
        }
    }

    /// Delivers what there is, waiting for it if a thread drives; then the other one may drive.
    fn step(&mut self) {
        let batches = match self.thread {
            None => {
                self.engine.poll();
                vec![poll(&self.engine)]
            }
            Some(_) => self.outbox.wait(),
        };
        for batch in batches {
            self.deliver(batch);
        }
        if self.deliveries >= PERIOD {
            self.deliveries = 0;
            self.finish_adoption();
        }
    }

    fn finish_adoption(&mut self) {
        match self.thread.take() {
            None => self.thread = Some(IoThread::start(&self.engine, &self.outbox)),
            Some(thread) => {
                thread.stop();
                // What its last poll brought comes first.
                for batch in self.outbox.take() {
                    self.deliver(batch);
                }
            }
        }
    }

    fn deliver(&mut self, batch: Batch) {
        let flush = self.flush();
        for poll in &batch.polls {
            let Some(connection) = poll.owner.downcast::<Connection>() else {
                unreachable!("there are only connections");
            };
            let end = &mut self.ends[connection.id() as usize];
            for event in &batch.events[poll.events.clone()] {
                match event.kind {
                    Kind::Binary => {
                        let bytes = match &event.place {
                            oxws::engine::Place::Arena(range) => &batch.arena[range.clone()],
                            oxws::engine::Place::Owned(bytes) => bytes,
                            oxws::engine::Place::Shared(bytes) => bytes,
                        };
                        assert!(bytes == message(end.received), "message {}", end.received);
                        end.received += 1;
                        end.send_next(flush);
                    }
                    Kind::Closed => {
                        assert_eq!(event.value, 0, "errno");
                        assert!(!mem::replace(&mut end.is_closed, true));
                    }
                    Kind::End => {}
                    kind => unreachable!("{kind:?}"),
                }
            }
            connection.delivered(poll.bytes);
            end_tick(&connection, flush);
            self.deliveries += 1;
        }
    }

    /// Has the ends of servers send a message, each by itself or all together.
    fn tell_all(&self, number: u32, receivers: &Arc<dyn Receivers>) {
        if number.is_multiple_of(3) {
            for end in self.ends.iter().step_by(2) {
                let (payload, flush) = (message(number).into(), self.flush());
                end.connection.send(payload, end.flags, [0; 4], flush);
                end_tick(&end.connection, flush);
            }
            return;
        }
        let frames = [false, true].map(|compresses| {
            let flags = flags(Role::Server, compresses);
            let make = move || shared(number, flags);
            Some(match number % 3 {
                1 => Frame::Made(make()),
                _ => Frame::Pending(Arc::new(PendingFrame::new(Effort::Small, make))),
            })
        });
        let receivers = Arc::clone(receivers);
        let fan_out = FanOut::new(receivers, frames.into(), Vec::new(), usize::MAX);
        self.engine.fan_out(fan_out);
    }

    /// The ends of servers, which say nothing by themselves any more; those that compress are of class 1.
    fn receivers(&mut self) -> Arc<dyn Receivers> {
        let receiver = |(end, slot): (&mut End, u32)| {
            end.sent = MESSAGES;
            Receiver {
                connection: Arc::clone(&end.connection),
                slot,
                class: u8::from(end.flags.has(FrameFlags::COMPRESS)),
            }
        };
        let servers = self.ends.iter_mut().step_by(2).zip(0..);
        Arc::new(ReceiverList::from(
            servers.map(receiver).collect::<Vec<_>>(),
        ))
    }

    fn run_until(&mut self, is_done: impl Fn(&End) -> bool) {
        while !self.ends.iter().all(&is_done) {
            self.step();
        }
    }
}

/// Has what was sent leave.
fn end_tick(connection: &Arc<Connection>, flush: Flush) {
    match flush {
        Flush::OnIoThread => connection.process_pending(),
        _ => connection.flush(),
    }
}

/// Two that are connected with each other, registered with the runtime we are in.
fn sockets() -> io::Result<(TcpStream, TcpStream)> {
    let listener = net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let one = net::TcpStream::connect(listener.local_addr()?)?;
    let (other, _) = listener.accept()?;
    one.set_nonblocking(true)?;
    other.set_nonblocking(true)?;
    Ok((TcpStream::from_std(one)?, TcpStream::from_std(other)?))
}

/// A frame for many.
fn shared(number: u32, flags: FrameFlags) -> SharedFrame {
    let is_compressed = flags.has(FrameFlags::COMPRESS);
    let deflate = is_compressed.then(|| params(true));
    let mut bytes = Vec::new();
    Endpoint::new(config(Role::Server, deflate)).frame(&mut bytes, &message(number), flags, [0; 4]);
    SharedFrame {
        bytes: bytes.into(),
        is_compressed,
    }
}

fn flags(role: Role, compresses: bool) -> FrameFlags {
    let mut flags = FrameFlags::opcode(opcode::BINARY) | FrameFlags::FIN;
    if role == Role::Client {
        flags = flags | FrameFlags::MASK;
    }
    if compresses {
        flags = flags | FrameFlags::RSV1 | FrameFlags::COMPRESS;
    }
    flags
}

fn params(no_context_takeover: bool) -> Params {
    Params {
        deflate: DeflateParams {
            window_bits: 15,
            no_context_takeover,
            level: 1,
            mem_level: 8,
            strategy: 0,
        },
        inflate: InflateParams {
            window_bits: 15,
            no_context_takeover,
        },
    }
}

fn config(role: Role, deflate: Option<Params>) -> Config {
    Config {
        role,
        limits: Limits::default(),
        skip_utf8_validation: false,
        deflate,
    }
}

fn end(engine: &Arc<Engine>, stream: TcpStream, role: Role, id: u32, compresses: bool) -> End {
    let connection =
        Connection::start(Arc::clone(engine), 0, Stream::Tcp(stream), Opening::Adopted);
    connection.finish_adoption();
    connection.set_id(id);
    let config = config(role, compresses.then(|| params(false)));
    connection.open(config, &[], Flush::Now);
    End {
        connection,
        flags: flags(role, compresses),
        sent: 0,
        received: 0,
        is_closed: false,
    }
}

#[test]
fn loses_and_reorders_nothing() {
    let mut world = World::new();
    world.begin();
    world.run_until(|end| end.received == MESSAGES);
    for end in &world.ends {
        end.connection.destroy(false);
    }
    world.run_until(|end| end.is_closed);
    if let Some(thread) = world.thread.take() {
        thread.stop();
    }
}

#[test]
fn what_goes_to_many_keeps_its_place() {
    let mut world = World::new();
    let receivers = world.receivers();
    for number in 0..MESSAGES {
        world.tell_all(number, &receivers);
        // Not more than some are under way.
        let begun = number.saturating_sub(WINDOW);
        world.run_until(|end| end.sent == MESSAGES || end.received >= begun);
    }
    world.run_until(|end| end.received == MESSAGES);
    drop(receivers);
    for end in &world.ends {
        end.connection.destroy(false);
    }
    world.run_until(|end| end.is_closed);
    if let Some(thread) = world.thread.take() {
        thread.stop();
    }
}

#[test]
fn a_connection_that_nobody_has_looked_at_is_looked_at() {
    let listener = net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let to = listener.local_addr().expect("an address");
    let engine = Engine::new(|| {}).expect("a runtime");
    let outbox = Arc::default();
    let thread = IoThread::start(&engine, &outbox);
    let (entered, is_in) = mpsc::channel();
    let (leave, may_leave) = mpsc::channel::<()>();
    engine.schedule(Pollable::Once(Box::new(move |_| {
        entered.send(()).expect("a receiver");
        may_leave.recv().expect("a sender");
    })));
    is_in.recv().expect("a sender");
    // The thread drives and is busy: what the kernel tells of a new socket, it may have heard before.
    let stream = engine.enter(|| Stream::dial_tcp(to)).ok().expect("a dial");
    let opening = Opening::Dialled(HeadLimits::default());
    let connection = Connection::start(Arc::clone(&engine), 0, stream, opening);
    connection.set_id(1);
    thread.stop.store(true, Ordering::Release);
    leave.send(()).expect("a receiver");
    thread.stop();
    assert!(engine.has_urgent());
    // Who drives from here on has looked, and waits for the kernel again.
    engine.poll();
    poll(&engine);
    let stream = engine.enter(|| Stream::dial_tcp(to)).ok().expect("a dial");
    let opening = Opening::Dialled(HeadLimits::default());
    Connection::start(Arc::clone(&engine), 0, stream, opening);
    assert!(!engine.has_urgent());
    engine.close();
}

#[test]
fn leaves_nothing_behind() {
    let mut world = World::new();
    world.begin();
    world.run_until(|end| end.received > 0);
    if let Some(thread) = world.thread.take() {
        thread.stop();
    }
    for end in &world.ends {
        end.connection.destroy(false);
    }
    // They are not polled any more.
    world.engine.close();
    let engine = Arc::downgrade(&world.engine);
    drop(world);
    // A job may hold it to its end.
    while engine.strong_count() > 0 {
        thread::yield_now();
    }
}
