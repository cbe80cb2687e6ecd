//! Work that takes too long for a turn: large messages are compressed and inflated on threads of their own.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, OnceLock};

use tokio::runtime::Handle;

use super::ready::lock;

/// A piece of work.
pub(super) type Job = Box<dyn FnOnce() + Send>;

/// How many jobs of the process run at once, unless [`limit_jobs`] says otherwise; as in ws.
const DEFAULT_LIMIT: usize = 10;

static LIMIT: OnceLock<usize> = OnceLock::new();

#[derive(Default)]
struct Jobs {
    running: usize,
    waiting: VecDeque<(Handle, Job)>,
}

static JOBS: Mutex<Jobs> = Mutex::new(Jobs {
    running: 0,
    waiting: VecDeque::new(),
});

/// Bounds the number of jobs that run at once in this process. The first call counts, as in ws.
pub fn limit_jobs(limit: usize) {
    LIMIT.get_or_init(|| limit.max(1));
}

/// Runs `job` on a thread of `runtime`, now or when there are less than the limit.
pub(super) fn run(runtime: &Handle, job: Job) {
    let mut jobs = lock(&JOBS);
    if jobs.running < *LIMIT.get_or_init(|| DEFAULT_LIMIT) {
        jobs.running += 1;
        drop(jobs);
        spawn(runtime, job);
    } else {
        jobs.waiting.push_back((runtime.clone(), job));
    }
}

fn spawn(runtime: &Handle, job: Job) {
    runtime.spawn_blocking(move || {
        // A panic is reported by the hook; the next job must run all the same.
        let _ = catch_unwind(AssertUnwindSafe(job));
        let mut jobs = lock(&JOBS);
        match jobs.waiting.pop_front() {
            Some((runtime, job)) => {
                drop(jobs);
                spawn(&runtime, job);
            }
            None => jobs.running -= 1,
        }
    });
}
