//! Work that takes too long for a poll: messages that are large, or too many, are compressed and inflated on threads of
//! their own.
//!
//! The threads are the process's, not a runtime's: a runtime that ends with its worker waits for no job, and takes none
//! of another one along.

use std::cell::Cell;
use std::collections::VecDeque;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, LazyLock, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use super::sync::lock;

/// What takes long.
type Job = Box<dyn FnOnce() + Send>;

/// From this many bytes on compressing takes a millisecond or more.
const LARGE: usize = 128 * 1024;

/// What a job takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Some tens of microseconds. As many run at once as there are processors: more would share them, and each
    /// would find the others' windows in the caches.
    Small,
    /// Anything. Others, small ones above all, need not wait for it.
    Large,
}

impl Effort {
    /// What compressing so many bytes takes.
    pub fn of(length: usize) -> Self {
        if length < LARGE {
            Self::Small
        } else {
            Self::Large
        }
    }
}

/// How many jobs of the process run at once, unless [`limit_jobs`] says otherwise; as in ws.
const DEFAULT_LIMIT: usize = 10;

static LIMIT: OnceLock<usize> = OnceLock::new();

/// How long a thread waits for its next job.
const IDLE_TIMEOUT: Duration = Duration::from_secs(10);

struct ThreadPool {
    /// How many small ones run at once.
    processors: usize,
    threads: usize,
    idle: usize,
    /// Small ones that run, and those that wait.
    small_running: usize,
    small_waiting: usize,
    waiting: VecDeque<(Job, Effort)>,
}

static POOL: LazyLock<Mutex<ThreadPool>> = LazyLock::new(|| {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    Mutex::new(ThreadPool::new(processors))
});

static JOB_READY: Condvar = Condvar::new();

thread_local! {
    /// Whether this thread takes the next job anyway, once it is done with the one that it runs.
    static IS_WORKING: Cell<bool> = const { Cell::new(false) };
}

impl ThreadPool {
    fn new(processors: usize) -> Self {
        Self {
            processors,
            threads: 0,
            idle: 0,
            small_running: 0,
            small_waiting: 0,
            waiting: VecDeque::new(),
        }
    }

    fn push(&mut self, job: Job, effort: Effort) {
        self.small_waiting += usize::from(effort == Effort::Small);
        self.waiting.push_back((job, effort));
    }

    /// How many more small ones may run.
    fn room(&self) -> usize {
        self.processors.saturating_sub(self.small_running)
    }

    /// Whether one more may run than those that wait.
    fn has_room(&self, effort: Effort) -> bool {
        effort == Effort::Large || self.small_waiting < self.room()
    }

    /// How many of those that wait may run now.
    fn due(&self) -> usize {
        let large = self.waiting.len() - self.small_waiting;
        large + self.small_waiting.min(self.room())
    }

    /// Takes the first of them.
    fn begin(&mut self) -> Option<(Job, Effort)> {
        let has_room = self.room() > 0;
        let is_due = |(_, effort): &(Job, Effort)| has_room || *effort == Effort::Large;
        let first = self.waiting.iter().position(is_due)?;
        let (job, effort) = self.waiting.remove(first)?;
        if effort == Effort::Small {
            self.small_waiting -= 1;
            self.small_running += 1;
        }
        Some((job, effort))
    }

    fn end(&mut self, effort: Effort) {
        self.small_running -= usize::from(effort == Effort::Small);
    }
}

/// Bounds the number of jobs that run at once in this process. The first call counts, as in ws.
pub fn limit_jobs(limit: usize) {
    LIMIT.get_or_init(|| limit.max(1));
}

/// Runs `job` on another thread, now or when there are less than the limit, after those that wait. Gives it back if there
/// is none, and none to be had. What a job adds is for its own thread: no other one is woken for it.
pub(super) fn run(job: Job, effort: Effort) -> Result<(), Job> {
    let mut jobs = lock(&POOL);
    // One that may not run yet is taken by the thread that is first done with a small one.
    let is_due = jobs.has_room(effort) && !IS_WORKING.get();
    if is_due && jobs.idle > jobs.due() {
        JOB_READY.notify_one();
    } else if is_due && jobs.threads < *LIMIT.get_or_init(|| DEFAULT_LIMIT) {
        let builder = thread::Builder::new().name("oxws-job".into());
        match builder.spawn(work) {
            Ok(_) => jobs.threads += 1,
            Err(_) if jobs.threads == 0 => return Err(job),
            Err(_) => {}
        }
    }
    jobs.push(job, effort);
    Ok(())
}

/// What a thread does.
fn work() {
    IS_WORKING.set(true);
    let mut jobs = lock(&POOL);
    loop {
        if let Some((job, effort)) = jobs.begin() {
            drop(jobs);
            // A panic is reported by the hook; the next job must run all the same.
            let _ = catch_unwind(AssertUnwindSafe(job));
            jobs = lock(&POOL);
            jobs.end(effort);
            continue;
        }
        jobs.idle += 1;
        let (woken, timeout) = JOB_READY
            .wait_timeout(jobs, IDLE_TIMEOUT)
            .unwrap_or_else(PoisonError::into_inner);
        jobs = woken;
        jobs.idle -= 1;
        if timeout.timed_out() && jobs.due() == 0 {
            jobs.threads -= 1;
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(jobs: &mut ThreadPool, effort: Effort) {
        jobs.push(Box::new(|| ()), effort);
    }

    fn begin(jobs: &mut ThreadPool) -> Option<Effort> {
        jobs.begin().map(|(_, effort)| effort)
    }

    #[test]
    fn as_many_small_ones_as_processors_run_and_large_ones_beside_them() {
        let mut jobs = ThreadPool::new(2);
        for _ in 0..2 {
            assert!(jobs.has_room(Effort::Small));
            push(&mut jobs, Effort::Small);
        }
        assert!(!jobs.has_room(Effort::Small));
        push(&mut jobs, Effort::Small);
        assert_eq!(jobs.due(), 2);
        push(&mut jobs, Effort::Large);
        assert_eq!(jobs.due(), 3);

        assert_eq!(begin(&mut jobs), Some(Effort::Small));
        assert_eq!(begin(&mut jobs), Some(Effort::Small));
        assert_eq!(jobs.due(), 1);
        assert_eq!(begin(&mut jobs), Some(Effort::Large));
        assert_eq!(begin(&mut jobs), None);

        jobs.end(Effort::Large);
        assert_eq!(begin(&mut jobs), None);
        jobs.end(Effort::Small);
        assert_eq!(begin(&mut jobs), Some(Effort::Small));
        assert_eq!(jobs.due(), 0);
    }

    #[test]
    fn what_may_run_does_so_in_order() {
        let mut jobs = ThreadPool::new(1);
        for effort in [Effort::Large, Effort::Small, Effort::Large] {
            push(&mut jobs, effort);
        }
        assert_eq!(begin(&mut jobs), Some(Effort::Large));
        assert_eq!(begin(&mut jobs), Some(Effort::Small));
        assert_eq!(begin(&mut jobs), Some(Effort::Large));
        assert_eq!(jobs.due(), 0);
    }
}
