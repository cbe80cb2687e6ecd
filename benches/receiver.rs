//! Frames in: many small ones in a read, large ones in one piece and in pieces.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use oxws::protocol::frame::opcode;
use oxws::protocol::sender::append_frame;
use oxws::protocol::{Bits, Limits, Message, Receiver, Role, Sink};
use std::hint::black_box;

/// Looks at what it is given, as little as it can.
#[derive(Default)]
struct Count(usize);

impl Sink for Count {
    fn message(&mut self, message: Message<'_>) {
        self.0 += message.payload.as_ref().len();
    }

    fn ping(&mut self, payload: &[u8]) {
        self.0 += payload.len();
    }

    fn pong(&mut self, payload: &[u8]) {
        self.0 += payload.len();
    }

    fn close(&mut self, _code: u16, reason: &[u8]) {
        self.0 += reason.len();
    }
}

/// A payload of ASCII stays ASCII whether it is masked or not, so that a stream that was unmasked in
/// place can be handed in again.
const KEY: [u8; 4] = [0x11, 0x22, 0x33, 0x44];

fn receiver() -> Receiver {
    let limits = Limits {
        max_payload: 100 * 1024 * 1024,
        ..Limits::default()
    };
    Receiver::new(Role::Server, limits, false, None)
}

fn frames(opcode: u8, len: usize, count: usize) -> Vec<u8> {
    let bits = Bits::opcode(opcode) | Bits::FIN | Bits::KEY;
    let mut bytes = Vec::new();
    for _ in 0..count {
        append_frame(&mut bytes, &vec![b'a'; len], bits, KEY);
    }
    bytes
}

fn whole(criterion: &mut Criterion) {
    for (name, opcode) in [("text", opcode::TEXT), ("binary", opcode::BINARY)] {
        let mut group = criterion.benchmark_group(format!("receiver/{name}"));
        for (len, count) in [(32, 1), (32, 64), (1024, 16), (65536, 1), (1024 * 1024, 1)] {
            let mut stream = frames(opcode, len, count);
            group.throughput(Throughput::Elements(count as u64));
            group.bench_function(BenchmarkId::from_parameter(format!("{count}x{len}")), |b| {
                let mut receiver = receiver();
                let mut sink = Count::default();
                b.iter(|| receiver.handle_bytes(black_box(&mut stream), &mut sink));
            });
        }
    }
}

fn pieces(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("receiver/pieces");
    for (len, chunk) in [(32, 10), (65536, 1), (1024 * 1024, 1), (1024 * 1024, 65536)] {
        let mut stream = frames(opcode::TEXT, len, 1);
        group.throughput(Throughput::Bytes(len as u64));
        group.bench_function(BenchmarkId::from_parameter(format!("{len}/{chunk}")), |b| {
            let mut receiver = receiver();
            let mut sink = Count::default();
            b.iter(|| {
                for chunk in stream.chunks_mut(chunk) {
                    receiver.handle_bytes(black_box(chunk), &mut sink)?;
                }
                Ok::<(), oxws::protocol::Violation>(())
            });
        });
    }
}

criterion_group!(group, whole, pieces);
criterion_main!(group);
