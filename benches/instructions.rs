//! What is counted by `npm run bench:instructions`, see bench/README.md. On its own it only names the pieces and the
//! messages of each.

mod frames;
mod json;

use std::hint::black_box;

use frames::{Count, frames, receiver};
use json::json;
use oxws::handshake::{HeadLimits, HeadParser, Parsed};
use oxws::protocol::deflate::{DeflateParams, Deflater, InflateParams, Inflater};
use oxws::protocol::frame::opcode;
use oxws::protocol::sender::append_frame;
use oxws::protocol::{FrameFlags, mask};

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// How often a piece of work is counted.
const ROUNDS: usize = 16;

const REQUEST: &[u8] = b"GET /chat?room=1 HTTP/1.1\r\nHost: server.example.com\r\nConnection: Upgrade\r\n\
    Pragma: no-cache\r\nCache-Control: no-cache\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 \
    (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\nUpgrade: websocket\r\nOrigin: https://server.example.com\r\n\
    Sec-WebSocket-Version: 13\r\nAccept-Encoding: gzip, deflate, br\r\nAccept-Language: en-GB,en;q=0.9\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n";

const RESPONSE: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n";

fn main() {
    masks();
    receivers();
    senders();
    compression();
    heads();
}

/// Does the work of `messages` messages a few times. What is made once is made before it is counted.
fn piece(name: &str, messages: usize, mut work: impl FnMut()) {
    for _ in 0..2 {
        work();
    }
    counted(&mut work);
    println!("{name}\t{}", messages * ROUNDS);
}

/// Instructions are counted in here, and nowhere else.
#[inline(never)]
fn counted(work: &mut dyn FnMut()) {
    for _ in 0..ROUNDS {
        work();
    }
}

fn masks() {
    for len in [32, 1024, 65536] {
        let mut data = vec![b'a'; len];
        let mut out = Vec::with_capacity(len);
        piece(&format!("mask in place, {len} B"), 1, || {
            mask::apply(black_box(KEY), 0, black_box(&mut data));
        });
        piece(&format!("mask while copying, {len} B"), 1, || {
            out.clear();
            mask::append(black_box(KEY), black_box(&data), &mut out);
        });
    }
}

fn receivers() {
    for (name, opcode, len, count) in [
        ("32 B binary", opcode::BINARY, 32, 1),
        ("32 B binary, 64 in a read", opcode::BINARY, 32, 64),
        ("32 B text, 64 in a read", opcode::TEXT, 32, 64),
        ("1 KiB ASCII", opcode::TEXT, 1024, 1),
        ("64 KiB ASCII", opcode::TEXT, 65536, 1),
        ("64 KiB binary", opcode::BINARY, 65536, 1),
    ] {
        let mut stream = frames(opcode, len, count);
        let mut receiver = receiver();
        let mut sink = Count::default();
        piece(&format!("receive {name}"), count, || {
            let result = receiver.handle_bytes(black_box(&mut stream), &mut sink);
            assert!(result.is_ok(), "a good stream");
        });
    }
}

fn senders() {
    let binary = FrameFlags::opcode(opcode::BINARY) | FrameFlags::FIN;
    for (role, flags) in [("server", binary), ("client", binary | FrameFlags::MASK)] {
        for len in [32, 1024, 65536] {
            let payload = vec![b'a'; len];
            let mut out = Vec::with_capacity(len + 16);
            piece(&format!("send {len} B, {role}"), 1, || {
                out.clear();
                append_frame(&mut out, black_box(&payload), flags, KEY);
            });
        }
    }
}

fn compression() {
    for (name, no_context_takeover) in [("", false), (", no context takeover", true)] {
        let deflate = DeflateParams {
            window_bits: 15,
            no_context_takeover,
            level: -1,
            mem_level: 8,
            strategy: 0,
        };
        let inflate = InflateParams {
            window_bits: 15,
            no_context_takeover,
        };
        for len in [256, 4096, 65536] {
            let data = json(8 * len);
            let messages: Vec<&[u8]> = data.chunks(len).collect();
            let mut deflater = Deflater::new(deflate);
            let mut out = Vec::with_capacity(2 * len);
            piece(&format!("deflate {len} B{name}"), messages.len(), || {
                for message in &messages {
                    out.clear();
                    deflater.compress(black_box(message), true, &mut out);
                }
            });

            let mut deflater = Deflater::new(deflate);
            let compress = |message: &&[u8]| {
                let mut compressed = Vec::new();
                deflater.compress(message, true, &mut compressed);
                compressed
            };
            let compressed: Vec<Vec<u8>> = messages.iter().map(compress).collect();
            let mut inflater = Inflater::new(inflate);
            piece(&format!("inflate {len} B{name}"), messages.len(), || {
                for message in &compressed {
                    out.clear();
                    let result = inflater.inflate(black_box(message), true, 0, &mut out);
                    assert!(result.is_ok(), "a good stream");
                }
            });
        }
    }
}

fn heads() {
    let limits = HeadLimits::default();
    piece("request head", 1, || {
        let outcome = HeadParser::request(limits).parse(black_box(REQUEST));
        assert!(matches!(outcome, Parsed::Head(..)), "a good head");
    });
    piece("response head", 1, || {
        let outcome = HeadParser::response(limits).parse(black_box(RESPONSE));
        assert!(matches!(outcome, Parsed::Head(..)), "a good head");
    });
}
