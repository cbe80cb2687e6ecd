//! Latencies.

/// Buckets of an octave: a resolution of 1.6 %.
const STEPS: usize = 64;

/// Counts of nanoseconds, in buckets that grow with the value.
pub struct Histogram {
    buckets: Vec<u64>,
    count: u64,
}

impl Histogram {
    /// An empty one.
    pub fn new() -> Self {
        Self {
            buckets: vec![0; STEPS * 40],
            count: 0,
        }
    }

    /// Counts one value.
    pub fn record(&mut self, nanoseconds: u64) {
        let last = self.buckets.len() - 1;
        self.buckets[bucket(nanoseconds).min(last)] += 1;
        self.count += 1;
    }

    /// Forgets all values.
    pub fn clear(&mut self) {
        self.buckets.fill(0);
        self.count = 0;
    }

    /// The value below which the `share` (0 to 1) of all values lies, in microseconds.
    pub fn quantile(&self, share: f64) -> f64 {
        let wanted = (self.count as f64 * share).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (index, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return value(index) / 1000.0;
            }
        }
        0.0
    }
}

/// Below [`STEPS`] a value is its own bucket; above, its exponent and the bits behind the highest one.
fn bucket(value: u64) -> usize {
    let octave = (value | STEPS as u64).ilog2() - STEPS.ilog2();
    octave as usize * STEPS + (value >> octave) as usize
}

/// The middle of a bucket.
fn value(bucket: usize) -> f64 {
    let octave = (bucket / STEPS).saturating_sub(1);
    let low = ((bucket - octave * STEPS) as u64) << octave;
    low as f64 + ((1u64 << octave) - 1) as f64 / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_exact_to_two_percent() {
        for exact in (0..200_000_000).step_by(9973) {
            let near = value(bucket(exact));
            assert!(
                (near - exact as f64).abs() <= exact as f64 * 0.016,
                "{exact}: {near}"
            );
        }
    }

    #[test]
    fn quantiles() {
        let mut histogram = Histogram::new();
        (1..=1000).for_each(|value| histogram.record(value * 1000));
        assert!((histogram.quantile(0.5) - 500.0).abs() < 8.0);
        assert!((histogram.quantile(0.999) - 999.0).abs() < 16.0);
    }
}
