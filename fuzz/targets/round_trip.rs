//! What one end sends the other receives.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use oxws::protocol::close;
use oxws::protocol::deflate::{DeflateParams, InflateParams, Params};
use oxws::protocol::frame::opcode;
use oxws::protocol::{Config, Endpoint, FrameFlags, Limits, Role};
use oxws_fuzz::{Chunks, Event, receive};

#[derive(Arbitrary, Debug)]
struct Plan<'a> {
    is_server: bool,
    deflate: Option<Deflate>,
    seed: u8,
    sendings: Vec<Sending<'a>>,
    close: Option<(u16, &'a str)>,
}

#[derive(Arbitrary, Debug)]
struct Deflate {
    window_bits: u8,
    no_context_takeover: bool,
    level: u8,
    mem_level: u8,
    strategy: u8,
}

#[derive(Arbitrary, Debug)]
enum Sending<'a> {
    Binary {
        fragments: Vec<Payload<'a>>,
        compress: bool,
        between: Option<&'a [u8]>,
    },
    Text {
        text: &'a str,
        compress: bool,
    },
    /// Compressed by somebody else, for others as well.
    Shared(Payload<'a>),
    Ping(&'a [u8]),
    Pong(&'a [u8]),
}

#[derive(Arbitrary, Debug)]
struct Payload<'a> {
    bytes: &'a [u8],
    /// Now and then, for lengths beyond what a fuzzer comes by.
    times: u16,
    key: [u8; 4],
    in_job: bool,
}

impl Payload<'_> {
    fn bytes(&self) -> Vec<u8> {
        let times = match self.times % 32 {
            0 => usize::from(self.times / 32),
            _ => 1,
        };
        self.bytes.repeat(times)
    }
}

impl From<&Deflate> for Params {
    fn from(deflate: &Deflate) -> Self {
        let window_bits = 8 + deflate.window_bits % 8;
        Self {
            deflate: DeflateParams {
                window_bits,
                no_context_takeover: deflate.no_context_takeover,
                level: (deflate.level % 11) as i8 - 1,
                mem_level: 1 + deflate.mem_level % 9,
                strategy: deflate.strategy % 5,
            },
            inflate: InflateParams {
                window_bits,
                no_context_takeover: deflate.no_context_takeover,
            },
        }
    }
}

/// The sending end, what it has sent, and what that has to be for the other.
struct Sender {
    endpoint: Endpoint,
    role: Role,
    deflate: Option<Params>,
    compresses: bool,
    out: Vec<u8>,
    expected: Vec<Event>,
}

impl Sender {
    /// `first` are the opcode and RSV1 of the frame.
    fn send(
        &mut self,
        payload: &[u8],
        first: FrameFlags,
        fin: bool,
        key: Option<[u8; 4]>,
        in_job: bool,
    ) {
        let mut flags = first;
        if fin {
            flags = flags | FrameFlags::FIN;
        }
        if self.role == Role::Client {
            flags = flags | key.map_or(FrameFlags::MASK, |_| FrameFlags::KEY);
        }
        let key = key.unwrap_or_default();
        if in_job && let Some(job) = self.endpoint.deflate_job(payload, flags, key) {
            self.out.extend(self.endpoint.finish_deflate_job(job));
        } else {
            self.endpoint.frame(&mut self.out, payload, flags, key);
        }
    }

    fn send_all(&mut self, sending: &Sending<'_>) {
        let compressed = |compress| match compress && self.compresses {
            true => (FrameFlags::RSV1, FrameFlags::COMPRESS),
            false => (FrameFlags::from(0), FrameFlags::from(0)),
        };
        match sending {
            Sending::Binary {
                fragments,
                compress,
                between,
            } => {
                let (rsv1, compress) = compressed(*compress);
                let mut bytes = Vec::new();
                let mut first = FrameFlags::opcode(opcode::BINARY) | rsv1;
                for (i, fragment) in fragments.iter().enumerate() {
                    let payload = fragment.bytes();
                    let fin = i + 1 == fragments.len();
                    let Payload { key, in_job, .. } = fragment;
                    self.send(&payload, first | compress, fin, Some(*key), *in_job);
                    first = FrameFlags::opcode(opcode::CONTINUATION);
                    bytes.extend(payload);
                    if let (Some(ping), false) = (between, fin) {
                        self.control(opcode::PING, ping);
                    }
                }
                if !fragments.is_empty() {
                    self.expected.push(message(true, bytes));
                }
            }
            Sending::Text { text, compress } => {
                let (rsv1, compress) = compressed(*compress);
                let flags = FrameFlags::opcode(opcode::TEXT) | rsv1 | compress;
                self.send(text.as_bytes(), flags, true, None, false);
                self.expected.push(message(false, text.as_bytes().to_vec()));
            }
            Sending::Shared(payload) => self.share(&payload.bytes()),
            Sending::Ping(payload) => self.control(opcode::PING, payload),
            Sending::Pong(payload) => self.control(opcode::PONG, payload),
        }
    }

    /// A message on its own, which the endpoint does not make: it goes on with an empty window.
    fn share(&mut self, payload: &[u8]) {
        let Some(mut params) = self.deflate else {
            return;
        };
        params.deflate.no_context_takeover = true;
        let mut flags = FrameFlags::opcode(opcode::BINARY)
            | FrameFlags::FIN
            | FrameFlags::RSV1
            | FrameFlags::COMPRESS;
        if self.role == Role::Client {
            flags = flags | FrameFlags::MASK;
        }
        endpoint(self.role, Some(params)).frame(&mut self.out, payload, flags, [0; 4]);
        self.endpoint.forget_context();
        self.expected.push(message(true, payload.to_vec()));
    }

    fn control(&mut self, code: u8, payload: &[u8]) {
        let payload = &payload[..payload.len().min(125)];
        self.send(payload, FrameFlags::opcode(code), true, None, false);
        self.expected.push(match code {
            opcode::PING => Event::Ping(payload.to_vec()),
            _ => Event::Pong(payload.to_vec()),
        });
    }

    fn close(&mut self, code: u16, reason: &str) {
        let code = if close::is_valid_close_code(code) {
            code
        } else {
            1000
        };
        let reason = &reason[..reason.floor_char_boundary(123)];
        let payload = [&code.to_be_bytes(), reason.as_bytes()].concat();
        self.send(
            &payload,
            FrameFlags::opcode(opcode::CLOSE),
            true,
            None,
            false,
        );
        self.expected.push(Event::Close(code, reason.into()));
    }
}

/// The lengths of fragments are compared by the receiver's target.
fn message(is_binary: bool, bytes: Vec<u8>) -> Event {
    Event::Message {
        is_binary,
        bytes,
        fragments: Vec::new(),
    }
}

fn endpoint(role: Role, deflate: Option<Params>) -> Endpoint {
    Endpoint::new(Config {
        role,
        limits: Limits::default(),
        skip_utf8_validation: false,
        deflate,
    })
}

fuzz_target!(|plan: Plan<'_>| {
    let (role, other) = match plan.is_server {
        true => (Role::Server, Role::Client),
        false => (Role::Client, Role::Server),
    };
    let deflate = plan.deflate.as_ref().map(Params::from);
    let mut sender = Sender {
        endpoint: endpoint(role, deflate),
        role,
        deflate,
        compresses: deflate.is_some(),
        out: Vec::new(),
        expected: Vec::new(),
    };
    for sending in &plan.sendings {
        sender.send_all(sending);
    }
    if let Some((code, reason)) = plan.close {
        sender.close(code, reason);
    }

    let chunks = Chunks::random(plan.seed);
    let (mut events, violation) = receive(endpoint(other, deflate), &sender.out, chunks);
    for event in &mut events.0 {
        if let Event::Message { fragments, .. } = event {
            fragments.clear();
        }
    }
    assert_eq!((events.0, violation), (sender.expected, None));
});
