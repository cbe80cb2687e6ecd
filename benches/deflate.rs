//! Messages through permessage-deflate, with contexts that are carried over and that are not.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use oxws::protocol::deflate::{DeflateParams, Deflater, InflateParams, Inflater};
use std::fmt::Write;
use std::hint::black_box;

/// The begin of a list of records as services send them.
fn json(len: usize) -> Vec<u8> {
    let mut text = String::from("[");
    for i in 0u32.. {
        if text.len() >= len {
            break;
        }
        let price = i.wrapping_mul(0x9e37_79b1) % 100_000;
        write!(
            text,
            "{{\"id\":{i},\"symbol\":\"OX{}\",\"price\":{price},\"open\":{}}},",
            price % 97,
            price % 2 == 0
        )
        .expect("a string takes everything");
    }
    text.truncate(len);
    text.into_bytes()
}

fn benches(criterion: &mut Criterion) {
    for (name, no_context_takeover) in [("carried over", false), ("on its own", true)] {
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
        for len in [128, 4096, 65536, 1024 * 1024] {
            let data = json(len);
            let mut group = criterion.benchmark_group("deflate");
            group.throughput(Throughput::Bytes(len as u64));
            group.bench_function(BenchmarkId::new(format!("compress, {name}"), len), |b| {
                let mut deflater = Deflater::new(deflate);
                let mut out = Vec::new();
                b.iter(|| {
                    out.clear();
                    deflater.compress(black_box(&data), true, &mut out);
                });
            });
            let mut compressed = Vec::new();
            Deflater::new(deflate).compress(&data, true, &mut compressed);
            group.bench_function(BenchmarkId::new(format!("inflate, {name}"), len), |b| {
                let mut inflater = Inflater::new(inflate);
                let mut out = Vec::new();
                b.iter(|| {
                    out.clear();
                    inflater.inflate(black_box(&compressed), true, 0, &mut out)
                });
            });
        }
    }
}

criterion_group!(group, benches);
criterion_main!(group);
