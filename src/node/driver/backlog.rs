//! Connections that were sent to in a tick or dispatch: they are written to at its end. If that is long in coming, because a
//! listener computes or waits for another process, a thread of the process has them written meanwhile.

use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use crate::engine::Connection;
use crate::engine::sync::lock;

/// How often the thread looks where ticks end soon: each time it runs, the JS thread may go on on another core, with none of
/// its caches.
const INTERVAL: Duration = Duration::from_millis(50);

/// After this time it looks again for what it has found waiting. What it finds twice in the same tick is late.
const PATIENCE: Duration = Duration::from_millis(2);

/// So many times it looks that often, once something was late: a program that has long ticks has more of them.
const WARY_ROUNDS: u32 = 500;

/// In a tick that it finds so often, a connection no longer waits to tell what was read before: see [`Connection::open`].
const LONG_TICK: u32 = 10;

/// So many times it looks before it rests, once nothing is sent.
const QUIET_ROUNDS: u32 = 3;

/// The thread looks, or there is none to be had.
static IS_AWAKE: AtomicBool = AtomicBool::new(false);
static WAKEUP: Condvar = Condvar::new();
static LATE: Mutex<Late> = Mutex::new(Late {
    lists: Vec::new(),
    has_thread: false,
});

/// What the thread looks at.
struct Late {
    /// The lists of the process, and the tick that each was in when it was last looked at.
    lists: Vec<(Weak<Backlog>, u32)>,
    has_thread: bool,
}

/// The list of an environment.
#[derive(Default)]
pub(crate) struct Backlog {
    connections: Mutex<Vec<Arc<Connection>>>,
    /// Counts what ends: ticks, and dispatches.
    tick: AtomicU32,
    /// How often the thread has found the same tick.
    looks: AtomicU32,
}

impl Backlog {
    /// An empty list, which the thread looks at from here on.
    pub(crate) fn new() -> Arc<Self> {
        let list = Arc::new(Self::default());
        let mut late = lock(&LATE);
        late.lists.retain(|(list, _)| list.strong_count() > 0);
        late.lists.push((Arc::downgrade(&list), 0));
        list
    }

    /// Adds a connection.
    pub(crate) fn push(&self, connection: Arc<Connection>) {
        lock(&self.connections).push(connection);
        // The thread looks once more between saying that it rests and doing so.
        if !IS_AWAKE.load(Ordering::SeqCst) {
            wake();
        }
    }

    /// Takes all: the tick ends.
    pub(crate) fn take(&self) -> Vec<Arc<Connection>> {
        self.tick.fetch_add(1, Ordering::Relaxed);
        mem::take(&mut *lock(&self.connections))
    }

    /// Takes the last one: what waits for it is written.
    pub(crate) fn pop(&self) -> Option<Arc<Connection>> {
        self.tick.fetch_add(1, Ordering::Relaxed);
        lock(&self.connections).pop()
    }

    /// Has all written whose tick is the one `before`. Returns the tick now, and what it has found.
    fn look(&self, before: u32) -> (u32, Finding) {
        let tick = self.tick.load(Ordering::Relaxed);
        let connections = lock(&self.connections);
        if connections.is_empty() || tick != before {
            self.looks.store(0, Ordering::Relaxed);
            let finding = match (connections.is_empty(), tick == before) {
                (true, true) => Finding::Nothing,
                (true, false) => Finding::Ticks,
                (false, _) => Finding::Waiting,
            };
            return (tick, finding);
        }
        // They stay on the list: more may be sent, and it is the JS thread that takes them off.
        let late = connections.clone();
        drop(connections);
        let is_long = self.looks.fetch_add(1, Ordering::Relaxed) >= LONG_TICK;
        for connection in late {
            connection.flush_within_tick(is_long);
        }
        (tick, Finding::Late)
    }
}

/// What a look has found, the worst last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Finding {
    /// Nothing was sent.
    Nothing,
    /// What was sent has left.
    Ticks,
    /// Something waits for the end of its tick.
    Waiting,
    /// It has waited when the thread looked before.
    Late,
}

fn wake() {
    let mut late = lock(&LATE);
    if IS_AWAKE.swap(true, Ordering::SeqCst) {
        return;
    }
    if late.has_thread {
        WAKEUP.notify_one();
    } else {
        // Without one, what is late waits.
        late.has_thread = true;
        let _ = thread::Builder::new().name("oxws-late".into()).spawn(watch);
    }
}

/// What the thread does.
fn watch() {
    let mut quiet = 0;
    let mut wary = 0;
    let mut interval = PATIENCE;
    let mut has_waited = false;
    loop {
        thread::sleep(interval);
        let finding = look();
        quiet = if finding == Finding::Nothing {
            quiet + 1
        } else {
            0
        };
        wary = match finding {
            Finding::Late => WARY_ROUNDS,
            _ => wary.saturating_sub(1),
        };
        // Where ticks follow each other closely it finds one each time.
        has_waited = finding == Finding::Waiting && !has_waited;
        interval = if has_waited || wary > 0 {
            PATIENCE
        } else {
            INTERVAL
        };
        if quiet >= QUIET_ROUNDS {
            IS_AWAKE.store(false, Ordering::SeqCst);
            if look() != Finding::Nothing {
                IS_AWAKE.store(true, Ordering::SeqCst);
            }
            let mut late = lock(&LATE);
            while !IS_AWAKE.load(Ordering::SeqCst) {
                late = WAKEUP.wait(late).unwrap_or_else(PoisonError::into_inner);
            }
            quiet = 0;
            interval = PATIENCE;
        }
    }
}

/// Looks at all lists; tells the worst that it has found.
fn look() -> Finding {
    let mut worst = Finding::Nothing;
    // Environments come and go meanwhile.
    let lists: Vec<_> = lock(&LATE).lists.clone();
    for (list, before) in lists {
        let Some(backlog) = list.upgrade() else {
            continue;
        };
        let (tick, finding) = backlog.look(before);
        worst = worst.max(finding);
        let mut late = lock(&LATE);
        if let Some((_, seen)) = late.lists.iter_mut().find(|(other, _)| other.ptr_eq(&list)) {
            *seen = tick;
        }
    }
    worst
}
