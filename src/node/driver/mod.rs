//! Which thread polls the engine, and how the JS thread hears of what came.

pub(crate) mod backlog;
pub(crate) mod inline;
pub(crate) mod io_thread;
pub(crate) mod policy;
pub(crate) mod wakeup;
