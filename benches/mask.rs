//! Masking: in place, and while copying.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use oxws::protocol::mask;
use std::hint::black_box;

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

fn benches(criterion: &mut Criterion) {
    for name in ["apply", "append"] {
        let mut group = criterion.benchmark_group(format!("mask/{name}"));
        for len in [5, 32, 125, 1024, 16 * 1024, 1024 * 1024] {
            group.throughput(Throughput::Bytes(len as u64));
            group.bench_function(BenchmarkId::from_parameter(len), |bencher| {
                let mut data = vec![b'a'; len];
                let mut out = Vec::with_capacity(len);
                bencher.iter(|| match name {
                    "apply" => mask::apply(black_box(KEY), 0, black_box(&mut data)),
                    _ => {
                        out.clear();
                        mask::append(black_box(KEY), black_box(&data), &mut out);
                    }
                });
            });
        }
    }
    criterion.bench_function("mask/random_key", |bencher| bencher.iter(mask::random_key));
}

criterion_group!(group, benches);
criterion_main!(group);
