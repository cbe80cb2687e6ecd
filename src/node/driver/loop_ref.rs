//! What keeps the event loop alive.

use std::cell::Cell;
use std::sync::Arc;

use napi::sys;

use super::wakeup::Wakeup;

/// Counts the open listeners, connections and tasks that keep the event loop alive. As long as there are any, the wake-up
/// signal does.
pub(crate) struct LoopRef {
    env: sys::napi_env,
    wakeup: Arc<Wakeup>,
    count: Cell<usize>,
}

impl LoopRef {
    /// Nothing keeps it alive.
    pub(crate) fn new(env: sys::napi_env, wakeup: Arc<Wakeup>) -> Self {
        Self {
            env,
            wakeup,
            count: Cell::new(0),
        }
    }

    /// One more does.
    pub(crate) fn add(&self) {
        self.set(self.count.get() + 1);
    }

    /// One less does.
    pub(crate) fn remove(&self) {
        self.set(self.count.get().saturating_sub(1));
    }

    fn set(&self, count: usize) {
        let before = self.count.replace(count);
        if (before == 0) != (count == 0) {
            self.wakeup.set_ref(self.env, count > 0);
        }
    }
}
