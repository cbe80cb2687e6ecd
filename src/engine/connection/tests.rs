//! What a connection does in steps, and when something breaks.

use std::io::Write;
use std::net::Ipv4Addr;
use std::sync::Arc;

use tokio::net::TcpStream;

use super::*;
use crate::engine::{Event, Kind, Place};
use crate::protocol::deflate::{DeflateParams, InflateParams, Params};
use crate::protocol::frame::opcode;
use crate::protocol::{Config, FrameFlags, Limits, Role};

/// A connection that compresses, and its peer.
fn connection() -> (Arc<Engine>, Arc<Connection>, std::net::TcpStream) {
    let (engine, connection, peer) = adopted();
    connection.finish_adoption();
    (engine, connection, peer)
}

/// The same while Node.js is not done with the socket.
fn adopted() -> (Arc<Engine>, Arc<Connection>, std::net::TcpStream) {
    let (engine, connection, peer) = unopened();
    connection.open(config(), &[], Flush::Now);
    (engine, connection, peer)
}

/// The same before it speaks WebSocket.
fn unopened() -> (Arc<Engine>, Arc<Connection>, std::net::TcpStream) {
    let engine = Engine::new(|| ()).expect("a runtime");
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = listener.local_addr().expect("an address");
    let peer = std::net::TcpStream::connect(address).expect("a connection");
    let (socket, _) = listener.accept().expect("a connection");
    socket.set_nonblocking(true).expect("a socket");
    let stream = engine.enter(|| TcpStream::from_std(socket));
    let stream = Stream::Tcp(stream.expect("a registered socket"));
    let connection = Connection::start(Arc::clone(&engine), 0, stream, Opening::Adopted);
    connection.set_id(1);
    (engine, connection, peer)
}

fn config() -> Config {
    Config {
        role: Role::Server,
        limits: Limits::default(),
        skip_utf8_validation: false,
        deflate: Some(Params {
            deflate: DeflateParams {
                window_bits: 15,
                no_context_takeover: false,
                level: 1,
                mem_level: 8,
                strategy: 0,
            },
            inflate: InflateParams {
                window_bits: 15,
                no_context_takeover: false,
            },
        }),
    }
}

fn send(connection: &Arc<Connection>, length: usize) {
    let flags = FrameFlags::opcode(opcode::BINARY)
        | FrameFlags::FIN
        | FrameFlags::RSV1
        | FrameFlags::COMPRESS;
    connection.send(vec![7; length].into(), flags, [0; 4], Flush::OnIoThread);
}

/// Polls each source that is ready once.
fn poll_into(batch: &mut Batch, engine: &Engine) {
    let mut sources = Vec::new();
    engine.poll();
    engine.take_ready(&mut sources);
    for source in sources {
        source.poll(batch);
    }
}

/// The events of that.
fn poll(engine: &Engine) -> Vec<Event> {
    let mut batch = Batch::default();
    poll_into(&mut batch, engine);
    std::mem::take(&mut batch.events)
}

/// Polls until the connection is closed; answers with the error number.
fn closed(engine: &Engine) -> u32 {
    loop {
        let events = poll(engine);
        let closed = events.iter().find(|event| event.kind == Kind::Closed);
        if let Some(event) = closed {
            return event.value;
        }
    }
}

#[test]
fn one_step_compresses_no_more_than_its_share() {
    for (length, messages) in [(1024, 16), (10_000, 1), (100_000, 1)] {
        let (_engine, connection, _peer) = connection();
        for _ in 0..100 {
            send(&connection, length);
        }
        let (mut job, _) = lock(&connection.state).first_deflate_job().expect("a job");
        for step in 1..5 {
            job = connection.deflate_step(job).expect("another message");
            let left = lock(&connection.state).output.blocked_bytes();
            assert_eq!(left, (99 - step * messages) * length);
        }
    }
}

#[test]
fn what_panics_elsewhere_closes_its_connection() {
    let (engine, connection, _peer) = connection();
    send(&connection, 100);
    // The job is lost.
    assert!(lock(&connection.state).first_deflate_job().is_some());
    assert!(poll(&engine).is_empty());
    connection.run_job(Effort::Small, || panic!("as planned"));
    assert_eq!(closed(&engine), 5);
}

#[test]
fn what_panics_while_a_message_is_inflated_closes_its_connection() {
    let (engine, connection, _peer) = connection();
    lock(&connection.state).input.pretend_inflation();
    connection.break_on_panic(|| panic!("as planned"));
    assert_eq!(closed(&engine), 5);
}

#[test]
fn what_had_arrived_is_told_when_the_first_write_fails() {
    let (engine, connection, mut peer) = adopted();
    let flags = FrameFlags::opcode(opcode::BINARY) | FrameFlags::FIN;
    let send = || connection.send(vec![7; 3].into(), flags, [0; 4], Flush::Now);
    // What the peer has not read has it reset the connection where it is closed.
    send();
    peer.write_all(b"\x81\x81\0\0\0\0a").expect("a write");
    drop(peer);
    send();
    assert!(lock(&connection.state).broken);
    connection.finish_adoption();
    let mut batch = Batch::default();
    // The runtime has not heard yet that there is something to read.
    connection.poll_unguarded(&mut batch);
    let mut events = std::mem::take(&mut batch.events);
    while events.last().is_none_or(|event| event.kind != Kind::Closed) {
        events.extend(poll(&engine));
    }
    let kinds: Vec<_> = events.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [Kind::Text, Kind::Closed]);
}

#[test]
fn a_message_that_ends_in_a_later_read_comes_in_a_later_poll() {
    let (engine, connection, mut peer) = connection();
    // The first read brings one message and most of the other.
    for length in [20_000_u16, 62_000] {
        let [high, low] = length.to_be_bytes();
        let mut frame = vec![0x82, 0xfe, high, low, 0, 0, 0, 0];
        frame.resize(frame.len() + usize::from(length), 7);
        peer.write_all(&frame).expect("a write");
    }
    let mut polls = Vec::new();
    while polls.iter().sum::<usize>() < 2 {
        polls.push(poll(&engine).len());
    }
    polls.retain(|events| *events > 0);
    assert_eq!(polls, [1, 1]);
    assert_eq!(connection.traffic().0, 2 * 8 + 20_000 + 62_000);
}

#[test]
fn a_backlog_is_written_in_steps_and_each_send_reported() {
    let (engine, connection, _peer) = connection();
    let flags = FrameFlags::opcode(opcode::BINARY) | FrameFlags::FIN;
    poll(&engine);
    let mut numbers = Vec::new();
    for _ in 0..64 {
        connection.send(vec![7; 100_000].into(), flags, [0; 4], Flush::OnIoThread);
        numbers.push(connection.sequence_number());
    }
    connection.notify_written();
    assert_eq!(connection.traffic().1, 0);
    connection.flush();
    assert!(connection.traffic().1 <= 512 * 1024);
    // The kernel takes more than one message, and less than all: nobody reads.
    let events = poll(&engine);
    assert!(connection.traffic().1 <= 1024 * 1024);
    assert!(events.iter().any(|event| event.kind == Kind::Written));
    let written = connection.written();
    assert!(numbers.contains(&written) && connection.pending() > 0);
    assert_eq!(connection.written(), 0);
    connection.flush_fully();
    assert!(connection.written() > written);
}

#[test]
fn what_was_to_be_compressed_before_a_cork_is_written() {
    let (engine, connection, _peer) = connection();
    let flags = FrameFlags::opcode(opcode::BINARY) | FrameFlags::FIN;
    send(&connection, 100);
    connection.cork();
    connection.send(vec![7; 3].into(), flags, [0; 4], Flush::OnIoThread);
    connection.end(Flush::OnIoThread);
    while connection.traffic().1 == 0 {
        poll(&engine);
    }
    connection.flush_fully();
    assert_eq!(connection.pending(), 5);
    assert!(!lock(&connection.state).shut);
    connection.uncork();
    assert_eq!(connection.pending(), 0);
    assert!(lock(&connection.state).shut);
}

#[test]
fn what_is_corked_is_not_written_by_the_end() {
    let flags = FrameFlags::opcode(opcode::BINARY) | FrameFlags::FIN;
    // The kernel takes the first one, and not all of the other: nobody reads.
    for (length, is_taken) in [(3, true), (64 << 20, false)] {
        let (_engine, connection, _peer) = connection();
        connection.send(vec![7; length].into(), flags, [0; 4], Flush::Now);
        let sent = connection.traffic().1 + connection.pending() as u64;
        connection.cork();
        connection.send(vec![7; 3].into(), flags, [0; 4], Flush::Now);
        connection.destroy(false);
        assert_eq!(connection.traffic().1 == sent, is_taken);
        assert_eq!(connection.is_held_back(), is_taken);
    }
}

/// What a peer sent along with its handshake, and then.
const EARLY: &[u8] = b"\x81\x81\0\0\0\0a\x81\x81\0\0\0\0b";
const LATER: &[u8] = b"\x81\x81\0\0\0\0c";

/// The texts of events.
fn texts(batch: &Batch) -> Vec<&[u8]> {
    let text = |event: &'_ Event| match &event.place {
        Place::Arena(range) => &batch.arena[range.clone()],
        place => panic!("{place:?}"),
    };
    batch.events.iter().map(text).collect()
}

/// Polls until there is something to deliver.
fn next_batch(engine: &Engine) -> Batch {
    let mut batch = Batch::default();
    while batch.is_empty() {
        poll_into(&mut batch, engine);
    }
    batch
}

/// The texts of the chunks that the thread which has opened delivers.
fn early(connection: &Arc<Connection>) -> Vec<Vec<u8>> {
    let mut chunks = Vec::new();
    let mut batch = Batch::default();
    while connection.poll_early(&mut batch) {
        chunks.push(texts(&batch.take()).concat());
    }
    chunks
}

#[test]
fn polls_leave_what_came_early_to_the_thread_that_has_opened() {
    let (engine, connection, mut peer) = unopened();
    connection.finish_adoption();
    peer.write_all(LATER).expect("a write");
    assert!(connection.open(config(), EARLY, Flush::OnIoThread));
    assert!(poll(&engine).is_empty());
    // Another one has ended the tick.
    connection.process_pending();
    assert!(poll(&engine).is_empty());
    assert_eq!(early(&connection), [b"ab"]);
    assert_eq!(texts(&next_batch(&engine)), [b"c"]);
    assert!(early(&connection).is_empty());
}

#[test]
fn what_came_early_is_delivered_in_the_chunks_it_came_in_until_it_is_paused() {
    let (engine, connection, mut peer) = unopened();
    connection.finish_adoption();
    // Half a message has no events.
    let (begun, ended) = EARLY.split_at(3);
    peer.write_all(ended).expect("a write");
    while !lock(&connection.state).input.has_parked() {
        poll(&engine);
    }
    lock(&connection.state).input.add_early(LATER);
    assert!(connection.open(config(), begun, Flush::OnIoThread));
    let mut batch = Batch::default();
    assert!(connection.poll_early(&mut batch) && batch.is_empty());
    connection.process_pending();
    connection.set_paused(true);
    assert!(early(&connection).is_empty() && poll(&engine).is_empty());
    connection.set_paused(false);
    assert_eq!(texts(&next_batch(&engine)), [b"a", b"b", b"c"]);
}

#[test]
fn polls_deliver_what_came_early_once_it_is_released() {
    let (engine, connection, _peer) = unopened();
    connection.finish_adoption();
    assert!(connection.open(config(), EARLY, Flush::OnIoThread));
    connection.process_pending();
    connection.release_early();
    assert_eq!(texts(&next_batch(&engine)), [b"a", b"b"]);
    assert!(early(&connection).is_empty());
}

#[test]
fn what_came_early_waits_until_node_is_done_with_the_socket() {
    let (_engine, connection, _peer) = unopened();
    assert!(connection.open(config(), EARLY, Flush::OnIoThread));
    assert!(early(&connection).is_empty());
    assert!(connection.finish_adoption());
    // Here no other thread drives.
    lock(&connection.state).input.awaits_early_poll = true;
    assert_eq!(early(&connection), [b"ab"]);
}

#[test]
fn what_is_sent_in_the_tick_leaves_after_what_came_early_is_told() {
    let (engine, connection, _peer) = unopened();
    connection.finish_adoption();
    assert!(connection.open(config(), EARLY, Flush::OnIoThread));
    let flags = FrameFlags::opcode(opcode::BINARY) | FrameFlags::FIN;
    connection.send(vec![7; 3].into(), flags, [0; 4], Flush::OnIoThread);
    connection.process_pending();
    poll(&engine);
    assert_eq!(connection.traffic().1, 0);
    assert_eq!(early(&connection), [b"ab"]);
    poll(&engine);
    assert_eq!(connection.traffic().1, 5);
}
