//! Which thread polls the engine, and how the JS thread hears of what came.
//!
//! These are the parts of a driver; they know neither bridges nor environments, and call back. An
//! `Environment` puts them together.

pub(crate) mod backlog;
pub(crate) mod busy_poll;
pub(crate) mod io_thread;
pub(crate) mod loop_ref;
pub(crate) mod policy;
pub(crate) mod sends;
pub(crate) mod unwatch;
pub(crate) mod wakeup;
pub(crate) mod watch;
