//! When to measure, and what came out.

use std::time::{Duration, Instant};

use crate::Failure;
use crate::histogram::Histogram;
use crate::settings::Settings;
use crate::usage::{Usage, resident};

struct Mark {
    at: Instant,
    load: Usage,
    server: Usage,
}

impl Mark {
    fn take(server: &str) -> Result<Self, Failure> {
        Ok(Self {
            at: Instant::now(),
            load: Usage::of("self")?,
            server: Usage::of(server)?,
        })
    }
}

/// Counts what happens between the end of the warm-up and the end of the run.
pub struct Meter {
    begin: Instant,
    warmup: Duration,
    end: Duration,
    server: String,
    start: Option<Mark>,
    histogram: Histogram,
    count: u64,
    sent: usize,
    received: usize,
}

impl Meter {
    /// Starts the warm-up. Settings: `warmup` and `seconds`, and the server's process id in `watch`.
    pub fn new(settings: &Settings) -> Result<Self, Failure> {
        let warmup = Duration::from_secs_f64(settings.get("warmup")?);
        Ok(Self {
            begin: Instant::now(),
            warmup,
            end: warmup + Duration::from_secs_f64(settings.get("seconds")?),
            server: settings.get("watch")?,
            start: None,
            histogram: Histogram::new(),
            count: 0,
            sent: 0,
            received: 0,
        })
    }

    /// Nanoseconds since the beginning.
    pub fn now(&self) -> u64 {
        self.begin.elapsed().as_nanos() as u64
    }

    /// Counts something that began at `since` and ends `now`.
    pub fn record(&mut self, since: u64, now: u64) {
        self.histogram.record(now - since);
        self.count += 1;
    }

    /// Adds bytes of frames that were sent.
    pub fn sent(&mut self, bytes: usize) {
        self.sent += bytes;
    }

    /// Adds bytes of frames that were received.
    pub fn received(&mut self, bytes: usize) {
        self.received += bytes;
    }

    /// The time left until something is to be done here; `None` when the run is over.
    pub fn remaining(&mut self) -> Result<Option<Duration>, Failure> {
        let elapsed = self.begin.elapsed();
        if self.start.is_none() && elapsed >= self.warmup {
            self.histogram.clear();
            self.count = 0;
            self.sent = 0;
            self.received = 0;
            self.start = Some(Mark::take(&self.server)?);
        }
        let next = if self.start.is_some() {
            self.end
        } else {
            self.warmup
        };
        Ok((elapsed < self.end).then(|| next.saturating_sub(elapsed)))
    }

    /// Prints the result.
    pub fn report(&self) -> Result<(), Failure> {
        let start = self.start.as_ref().ok_or("the run was too short")?;
        let end = Mark::take(&self.server)?;
        let seconds = (end.at - start.at).as_secs_f64();
        let load = end.load.since(start.load);
        let server = end.server.since(start.server);
        println!(
            "{{\"count\":{},\"seconds\":{:.4},\"p50\":{:.1},\"p99\":{:.1},\"p999\":{:.1},\"cpu\":{:.1},\"main\":{:.1},\
             \"rss\":{},\"load\":{:.3},\"sent\":{},\"received\":{}}}",
            self.count,
            seconds,
            self.histogram.quantile(0.5),
            self.histogram.quantile(0.99),
            self.histogram.quantile(0.999),
            server.all as f64 / 1000.0,
            server.main as f64 / 1000.0,
            resident(&self.server)?,
            load.all as f64 / 1e9 / seconds,
            self.sent,
            self.received,
        );
        Ok(())
    }
}
