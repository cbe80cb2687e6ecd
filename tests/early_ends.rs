//! A peer that is gone before JavaScript has opened the connection: no end is told before what the peer sent.

use std::io::Write;
use std::net::{self, Ipv4Addr, Shutdown};
use std::sync::Arc;
use std::time::Duration;

use oxws::engine::{Batch, Connection, Engine, Flush, Kind, Opening, Pollable, Stream};
use oxws::protocol::{Config, Limits, Role};
use socket2::SockRef;
use tokio::net::TcpStream;

const EARLY: &[u8] = b"\x81\x02hi";
const LATER: &[u8] = b"\x81\x02ho";

/// How the peer goes.
#[derive(Clone, Copy, PartialEq)]
enum Going {
    Fin,
    /// With what it has sent.
    ResetAtOnce,
    /// Once that has been read.
    Reset,
}

struct World {
    engine: Arc<Engine>,
    connection: Arc<Connection>,
    peer: net::TcpStream,
}

impl World {
    /// An adopted connection that nobody has opened.
    fn new() -> Self {
        let engine = Engine::new(|| {}).expect("a runtime");
        let listener = net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        let peer = net::TcpStream::connect(address).expect("a connection");
        let (socket, _) = listener.accept().expect("a connection");
        socket.set_nonblocking(true).expect("an open socket");
        let stream = engine.enter(|| TcpStream::from_std(socket).map(Stream::Tcp));
        let stream = stream.expect("a socket to register");
        let connection = Connection::start(Arc::clone(&engine), 0, stream, Opening::Adopted);
        connection.finish_adoption();
        Self {
            engine,
            connection,
            peer,
        }
    }

    /// The peer sends `bytes` and goes.
    fn goes(&mut self, bytes: &[u8], going: Going) {
        self.peer.write_all(bytes).expect("an open socket");
        if going != Going::ResetAtOnce {
            self.poll_until_idle();
        }
        if going == Going::Fin {
            self.peer.shutdown(Shutdown::Write).expect("an open socket");
            return;
        }
        SockRef::from(&self.peer)
            .set_linger(Some(Duration::ZERO))
            .expect("an open socket");
        let gone = net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = gone.local_addr().expect("an address");
        self.peer = net::TcpStream::connect(address).expect("a connection");
    }

    fn open(&self) {
        let config = Config {
            role: Role::Client,
            limits: Limits::default(),
            skip_utf8_validation: false,
            deflate: None,
        };
        if self.connection.open(config, EARLY, Flush::Now) {
            let connection = Arc::clone(&self.connection);
            self.engine.schedule(Pollable::Source(connection));
        }
    }

    /// Polls until nothing more comes; tells what did.
    fn poll_until_idle(&self) -> Vec<(Kind, u32)> {
        let mut events = Vec::new();
        for _ in 0..20 {
            std::thread::sleep(Duration::from_millis(1));
            self.engine.poll();
            let mut sources: Vec<Pollable> = Vec::new();
            self.engine.take_ready(&mut sources);
            let mut batch = Batch::default();
            for source in sources {
                source.poll(&mut batch);
            }
            events.extend(batch.events.iter().map(|event| (event.kind, event.value)));
        }
        events
    }
}

fn kinds(events: &[(Kind, u32)]) -> Vec<Kind> {
    events.iter().map(|(kind, _)| *kind).collect()
}

#[test]
fn fin_is_told_early_and_again_behind_the_head() {
    let mut world = World::new();
    world.goes(b"", Going::Fin);
    assert_eq!(world.poll_until_idle(), [(Kind::End, 1)]);
    world.open();
    assert_eq!(world.poll_until_idle(), [(Kind::Text, 0), (Kind::End, 0)]);
}

#[test]
fn fin_is_not_told_before_what_is_held_back() {
    let mut world = World::new();
    world.goes(LATER, Going::Fin);
    assert_eq!(world.poll_until_idle(), [(Kind::ReadStopped, 0)]);
    world.open();
    assert_eq!(
        world.poll_until_idle(),
        [(Kind::Text, 0), (Kind::Text, 0), (Kind::End, 0)]
    );
}

#[test]
fn a_reset_is_told_early_and_closes_behind_the_head() {
    let mut world = World::new();
    world.goes(b"", Going::Reset);
    assert_eq!(kinds(&world.poll_until_idle()), [Kind::Failed]);
    world.open();
    assert_eq!(kinds(&world.poll_until_idle()), [Kind::Text, Kind::Closed]);
}

#[test]
fn a_reset_right_behind_what_is_held_back_is_an_end() {
    let mut world = World::new();
    world.goes(LATER, Going::ResetAtOnce);
    assert_eq!(world.poll_until_idle(), [(Kind::ReadStopped, 0)]);
    world.open();
    assert_eq!(
        kinds(&world.poll_until_idle()),
        [Kind::Text, Kind::Text, Kind::End]
    );
}

#[test]
fn a_reset_long_after_what_is_held_back_is_none() {
    let mut world = World::new();
    world.goes(LATER, Going::Reset);
    assert_eq!(kinds(&world.poll_until_idle()), [Kind::Failed]);
    world.open();
    assert_eq!(
        kinds(&world.poll_until_idle()),
        [Kind::Text, Kind::Text, Kind::Closed]
    );
}

#[test]
fn a_connection_that_failed_closes_when_it_is_destroyed() {
    let mut world = World::new();
    world.goes(b"", Going::Reset);
    assert_eq!(kinds(&world.poll_until_idle()), [Kind::Failed]);
    world.connection.destroy(false);
    assert_eq!(kinds(&world.poll_until_idle()), [Kind::Closed]);
}

#[test]
fn a_passthrough_begins_with_what_was_held_back() {
    let mut world = World::new();
    world.goes(LATER, Going::Fin);
    world.poll_until_idle();
    assert_eq!(world.connection.start_passthrough(false), b"");
    assert_eq!(world.poll_until_idle(), [(Kind::Chunk, 0), (Kind::End, 1)]);
    world.open();
    assert_eq!(world.poll_until_idle(), [(Kind::Text, 0), (Kind::End, 0)]);
}

#[test]
fn bytes_of_a_paused_connection_are_delivered_before_it_is_closed() {
    let mut world = World::new();
    world.goes(LATER, Going::Fin);
    world.poll_until_idle();
    world.connection.set_paused(true);
    world.connection.start_passthrough(false);
    assert_eq!(world.poll_until_idle(), []);
    world.connection.destroy(false);
    assert_eq!(
        kinds(&world.poll_until_idle()),
        [Kind::Chunk, Kind::End, Kind::Closed]
    );
}

#[test]
fn bytes_of_a_paused_connection_are_delivered_before_it_closes_behind_them() {
    let mut world = World::new();
    world.goes(LATER, Going::Fin);
    world.poll_until_idle();
    world.connection.set_paused(true);
    world.connection.start_passthrough(false);
    assert_eq!(world.poll_until_idle(), []);
    world.connection.close_after_input();
    assert_eq!(
        kinds(&world.poll_until_idle()),
        [Kind::Chunk, Kind::End, Kind::Closed]
    );
}
