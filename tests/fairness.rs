//! One connection's delay does not grow with what others have sent.

use std::io::Read;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;

use oxws::engine::{Connection, Engine, Flush, Opening, Stream, limit_jobs};
use oxws::protocol::deflate::{DeflateParams, InflateParams, POOL_LEN, Params};
use oxws::protocol::frame::opcode;
use oxws::protocol::{Config, FrameFlags, Limits, Role};
use tokio::net::TcpStream;

const HOGS: usize = 10;
const BACKLOG: usize = 50;

fn connect(engine: &Arc<Engine>) -> (Arc<Connection>, std::net::TcpStream) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = listener.local_addr().expect("an address");
    let peer = std::net::TcpStream::connect(address).expect("a connection");
    let (socket, _) = listener.accept().expect("a connection");
    socket.set_nonblocking(true).expect("a socket");
    let stream = engine.enter(|| TcpStream::from_std(socket));
    let stream = Stream::Tcp(stream.expect("a registered socket"));
    let connection = Connection::start(Arc::clone(engine), 0, stream, Opening::Adopted);
    connection.finish_adoption();
    let deflate = Params {
        deflate: DeflateParams {
            window_bits: 15,
            no_context_takeover: false,
            level: 6,
            mem_level: 8,
            strategy: 0,
        },
        inflate: InflateParams {
            window_bits: 15,
            no_context_takeover: false,
        },
    };
    let config = Config {
        role: Role::Server,
        limits: Limits::default(),
        skip_utf8_validation: false,
        deflate: Some(deflate),
    };
    connection.open(config, &[], Flush::Now);
    (connection, peer)
}

/// A message that takes a moment to compress, and becomes short.
fn message() -> Vec<u8> {
    let mut state = 1u32;
    (0..4 * POOL_LEN)
        .map(|_| {
            state = state.wrapping_mul(1_103_515_245).wrapping_add(12_345);
            (state >> 16) as u8 & 1
        })
        .collect()
}

#[test]
fn a_message_is_not_compressed_behind_the_backlogs_of_other_connections() {
    // What is compressed first is then certain.
    limit_jobs(1);
    let engine = Engine::new(|| ()).expect("a runtime");
    let flags = FrameFlags::opcode(opcode::BINARY)
        | FrameFlags::FIN
        | FrameFlags::RSV1
        | FrameFlags::COMPRESS;
    let payload = message();
    let hogs: Vec<_> = (0..HOGS).map(|_| connect(&engine)).collect();
    let (victim, mut peer) = connect(&engine);
    for (hog, peer) in &hogs {
        for _ in 0..BACKLOG {
            hog.send(payload.as_slice().into(), flags, [0; 4], Flush::Now);
        }
        let mut peer = peer.try_clone().expect("a socket");
        std::thread::spawn(move || std::io::copy(&mut peer, &mut std::io::sink()));
    }
    victim.send(payload.as_slice().into(), flags, [0; 4], Flush::Now);
    let mut header = [0; 2];
    peer.read_exact(&mut header).expect("the message");
    assert_eq!(header[0], 0xc2);
    for (hog, _) in &hogs {
        // The first message is at least an eighth of what was sent of them so far.
        assert!(hog.traffic().1 < (payload.len() / 8 * BACKLOG / 2) as u64);
    }
    engine.close();
}
