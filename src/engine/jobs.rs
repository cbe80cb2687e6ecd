//! Work that takes too long for a turn: large messages are compressed and inflated on threads of their own.
//!
//! The threads are the process's, not a runtime's: a job may be the last to hold an engine, whose runtime could not be
//! dropped on a thread that it has to wait for.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use super::ready::lock;

/// A piece of work.
pub(super) type Job = Box<dyn FnOnce() + Send>;

/// How many jobs of the process run at once, unless [`limit_jobs`] says otherwise; as in ws.
const DEFAULT_LIMIT: usize = 10;

/// How long a thread waits for another job.
const PATIENCE: Duration = Duration::from_secs(10);

static LIMIT: OnceLock<usize> = OnceLock::new();

struct Jobs {
    threads: usize,
    /// Those of them that wait for a job.
    idle: usize,
    waiting: VecDeque<Job>,
}

static JOBS: Mutex<Jobs> = Mutex::new(Jobs {
    threads: 0,
    idle: 0,
    waiting: VecDeque::new(),
});

/// A job is waiting.
static CAME: Condvar = Condvar::new();

/// Bounds the number of jobs that run at once in this process. The first call counts, as in ws.
pub fn limit_jobs(limit: usize) {
    LIMIT.get_or_init(|| limit.max(1));
}

/// Runs `job` on another thread, now or when there are less than the limit.
pub(super) fn run(job: Job) {
    let mut jobs = lock(&JOBS);
    jobs.waiting.push_back(job);
    if jobs.idle >= jobs.waiting.len() {
        CAME.notify_one();
    } else if jobs.threads < *LIMIT.get_or_init(|| DEFAULT_LIMIT) {
        let thread = thread::Builder::new().name("oxws-job".into());
        // No thread to be had: those that are there take it, or one that the next job starts.
        jobs.threads += usize::from(thread.spawn(work).is_ok());
    }
}

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
        let (guard, wait) = CAME
            .wait_timeout(jobs, PATIENCE)
            .unwrap_or_else(PoisonError::into_inner);
        jobs = guard;
        jobs.idle -= 1;
        if wait.timed_out() && jobs.waiting.is_empty() {
            jobs.threads -= 1;
            return;
        }
    }
}
