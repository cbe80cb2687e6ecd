//! Work that takes too long for a turn: large messages are compressed and inflated on threads of their own.
//!
//! The threads are the process's, not a runtime's: a runtime that ends with its worker waits for no job, and takes none
//! of another one along.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use super::ready::lock;

/// What takes long.
pub type Job = Box<dyn FnOnce() + Send>;

/// How many jobs of the process run at once, unless [`limit_jobs`] says otherwise; as in ws.
const DEFAULT_LIMIT: usize = 10;

static LIMIT: OnceLock<usize> = OnceLock::new();

/// How long a thread waits for its next job.
const PATIENCE: Duration = Duration::from_secs(10);

struct Jobs {
    threads: usize,
    idle: usize,
    waiting: VecDeque<Job>,
}

static JOBS: Mutex<Jobs> = Mutex::new(Jobs {
    threads: 0,
    idle: 0,
    waiting: VecDeque::new(),
});

static ARRIVAL: Condvar = Condvar::new();

/// Bounds the number of jobs that run at once in this process. The first call counts, as in ws.
pub fn limit_jobs(limit: usize) {
    LIMIT.get_or_init(|| limit.max(1));
}

/// Runs `job` on another thread, now or when there are less than the limit. Gives it back if there is none, and none to
/// be had.
pub(super) fn run(job: Job) -> Result<(), Job> {
    let mut jobs = lock(&JOBS);
    if jobs.idle > jobs.waiting.len() {
        jobs.waiting.push_back(job);
        ARRIVAL.notify_one();
        return Ok(());
    }
    if jobs.threads < *LIMIT.get_or_init(|| DEFAULT_LIMIT) {
        let builder = thread::Builder::new().name("oxws-job".into());
        match builder.spawn(work) {
            Ok(_) => jobs.threads += 1,
            Err(_) if jobs.threads == 0 => return Err(job),
            Err(_) => {}
        }
    }
    jobs.waiting.push_back(job);
    Ok(())
}

/// What a thread does.
fn work() {
    let mut jobs = lock(&JOBS);
    loop {
        if let Some(job) = jobs.waiting.pop_front() {
            drop(jobs);
            // A panic is reported by the hook; the next job must run all the same.
            let _ = catch_unwind(AssertUnwindSafe(job));
            jobs = lock(&JOBS);
            continue;
        }
        jobs.idle += 1;
        let (woken, timeout) = ARRIVAL
            .wait_timeout(jobs, PATIENCE)
            .unwrap_or_else(PoisonError::into_inner);
        jobs = woken;
        jobs.idle -= 1;
        if timeout.timed_out() && jobs.waiting.is_empty() {
            jobs.threads -= 1;
            return;
        }
    }
}
