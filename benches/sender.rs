//! Frames out: as a server and as a client, with the payload copied and in place.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use oxws::protocol::FrameFlags;
use oxws::protocol::frame::opcode;
use oxws::protocol::sender::{Frame, append_frame};
use std::hint::black_box;

fn benches(criterion: &mut Criterion) {
    let text = FrameFlags::opcode(opcode::TEXT) | FrameFlags::FIN;
    for (role, flags) in [("server", text), ("client", text | FrameFlags::MASK)] {
        let mut group = criterion.benchmark_group(format!("sender/{role}"));
        for len in [32, 1024, 65536, 1024 * 1024] {
            let payload = vec![b'a'; len];
            let mut out = Vec::with_capacity(len + 16);
            group.throughput(Throughput::Bytes(len as u64));
            group.bench_function(BenchmarkId::new("copied", len), |bencher| {
                bencher.iter(|| {
                    out.clear();
                    append_frame(&mut out, black_box(&payload), flags, [0; 4]);
                });
            });
            group.bench_function(BenchmarkId::new("in place", len), |bencher| {
                bencher.iter(|| {
                    out.clear();
                    let frame = Frame::begin(&mut out, flags, len);
                    out.extend_from_slice(black_box(&payload));
                    frame.finish(&mut out, [0; 4]);
                });
            });
        }
    }
}

criterion_group!(group, benches);
criterion_main!(group);
