//! What a process has used, from `/proc`.

use std::fs;
use std::io;

/// `USER_HZ` is 100 on all of Linux.
const NANOSECONDS_A_TICK: u64 = 10_000_000;

/// CPU time since a process began, in nanoseconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// Of all threads.
    pub all: u64,
    /// Of the first thread, which is the one that runs JavaScript.
    pub main: u64,
}

impl Usage {
    /// Of the process `id` (a number, or `self`).
    pub fn of(id: &str) -> io::Result<Self> {
        let main = fs::read_to_string(format!("/proc/{id}/schedstat"))?;
        let main = main.split(' ').next().and_then(|time| time.parse().ok());
        // Threads that have ended count, too: a driver of oxws may.
        let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
        let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
        let ticks: u64 = fields.skip(11).take(2).flat_map(str::parse::<u64>).sum();
        Ok(Self {
            all: ticks * NANOSECONDS_A_TICK,
            main: main.unwrap_or_default(),
        })
    }

    /// What was used since `earlier`.
    pub fn since(self, earlier: Self) -> Self {
        Self {
            all: self.all - earlier.all,
            main: self.main - earlier.main,
        }
    }
}

/// Bytes of memory the process `id` has resident.
pub fn resident(id: &str) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    Ok(kib.unwrap_or_default() * 1024)
}
