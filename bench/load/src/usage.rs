//! What a process has used, from `/proc`.

use std::fs;
use std::io;

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
        let mut usage = Self::default();
        for task in fs::read_dir(format!("/proc/{id}/task"))? {
            let task = task?;
            // A thread may end meanwhile; none that carries load does.
            let Ok(text) = fs::read_to_string(task.path().join("schedstat")) else {
                continue;
            };
            let time = text.split(' ').next().and_then(|time| time.parse().ok());
            let time: u64 = time.unwrap_or_default();
            usage.all += time;
            if task.file_name().to_str() == Some(id) {
                usage.main = time;
            }
        }
        Ok(usage)
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
