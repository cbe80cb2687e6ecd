//! Messages through permessage-deflate, with contexts that are carried over and that are not.

mod json;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use json::json;
use oxws::protocol::deflate::{DeflateParams, Deflater, InflateParams, Inflater};
use std::hint::black_box;

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
