//! Frames in: many small ones in a read, large ones in one piece and in pieces.

mod frames;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use frames::{Count, frames, receiver};
use oxws::protocol::frame::opcode;
use std::hint::black_box;

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
