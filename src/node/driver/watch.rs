//! What libuv calls for the inline driver.

use std::ffi::{c_int, c_void};
use std::rc::Rc;

use crate::node::raw::uv::{self, Uv};
use crate::node::raw::uv_handle::{Callback, UvHandle, call};

/// libuv's watch on the runtime's descriptor.
pub(crate) struct Watch(UvHandle);

impl Watch {
    /// A watch that calls `on_readable` whenever `fd` is readable, once it is [resumed](Self::resume). The descriptor must
    /// stay open as long as the watch.
    pub(crate) fn new(
        uv: Uv,
        event_loop: *mut c_void,
        fd: i32,
        on_readable: Callback,
    ) -> Option<Self> {
        // SAFETY: the memory is for a `uv_poll_t`.
        let init = |handle| unsafe { (uv.poll_init)(event_loop, handle, fd) };
        UvHandle::new(uv, uv::POLL, on_readable, init).map(Self)
    }

    /// Begins to watch.
    pub(crate) fn resume(&self) {
        let (uv, handle) = self.0.parts();
        // SAFETY: the handle is an open `uv_poll_t`.
        unsafe { (uv.poll_start)(handle, uv::READABLE, on_poll) };
    }

    /// Stops watching.
    pub(crate) fn pause(&self) {
        let (uv, handle) = self.0.parts();
        // SAFETY: the handle is an open `uv_poll_t`.
        unsafe { (uv.poll_stop)(handle) };
    }

    /// Watches from the next look for events on, as what libuv dials: all that has become ready by then comes before, and
    /// not what was readable once, as epoll has it.
    pub(crate) fn renew(&self) {
        self.pause();
        self.resume();
    }

    /// Gives the handle to who closes it.
    pub(crate) fn into_handle(self) -> UvHandle {
        self.pause();
        self.0
    }
}

extern "C" fn on_poll(handle: uv::Handle, _status: c_int, _events: c_int) {
    call(handle);
}

/// libuv's call before the event loop looks for events.
pub(crate) struct Prepare(UvHandle);

impl Prepare {
    /// Has `before_poll` called from here on.
    pub(crate) fn new(uv: Uv, event_loop: *mut c_void, before_poll: Callback) -> Option<Self> {
        // SAFETY: the memory is for a `uv_prepare_t`.
        let init = |handle| unsafe { (uv.prepare_init)(event_loop, handle) };
        let prepare = UvHandle::new(uv, uv::PREPARE, before_poll, init)?;
        let (uv, handle) = prepare.parts();
        // SAFETY: the handle is an open `uv_prepare_t`.
        unsafe { (uv.prepare_start)(handle, on_prepare) };
        Some(Self(prepare))
    }

    /// Gives the handle to who closes it.
    pub(crate) fn into_handle(self) -> UvHandle {
        let (uv, handle) = self.0.parts();
        // SAFETY: the handle is an open `uv_prepare_t`.
        unsafe { (uv.prepare_stop)(handle) };
        self.0
    }
}

extern "C" fn on_prepare(handle: uv::Handle) {
    call(handle);
}

/// Has libuv call once more when the event loop has looked for events, without waiting for any.
pub(crate) struct NextRound {
    idle: UvHandle,
    check: UvHandle,
}

impl NextRound {
    /// Calls `after_poll` when it is [awaited](Self::wait).
    pub(crate) fn new(uv: Uv, event_loop: *mut c_void, after_poll: Callback) -> Option<Self> {
        // SAFETY: the memory is for a `uv_idle_t`.
        let init_idle = |handle| unsafe { (uv.idle_init)(event_loop, handle) };
        // SAFETY: the memory is for a `uv_check_t`.
        let init_check = |handle| unsafe { (uv.check_init)(event_loop, handle) };
        let check = UvHandle::new(uv, uv::CHECK, after_poll, init_check)?;
        match UvHandle::new(uv, uv::IDLE, Rc::new(|| ()), init_idle) {
            Some(idle) => Some(Self { idle, check }),
            None => {
                check.close(|| ());
                None
            }
        }
    }

    /// The event loop does not wait for events, then calls: before immediates, as with what comes of events.
    pub(crate) fn wait(&self) {
        let ((uv, idle), (_, check)) = (self.idle.parts(), self.check.parts());
        // SAFETY: the handles are an open `uv_idle_t` and an open `uv_check_t`.
        unsafe {
            (uv.idle_start)(idle, on_idle);
            (uv.check_start)(check, on_check);
        }
    }

    /// Does not call any more.
    pub(crate) fn stop(&self) {
        let ((uv, idle), (_, check)) = (self.idle.parts(), self.check.parts());
        // SAFETY: as in `wait`.
        unsafe {
            (uv.idle_stop)(idle);
            (uv.check_stop)(check);
        }
    }

    /// Gives the handles to who closes them.
    pub(crate) fn into_handles(self) -> [UvHandle; 2] {
        self.stop();
        [self.idle, self.check]
    }
}

/// While an idle handle is active the event loop does not wait.
extern "C" fn on_idle(_: uv::Handle) {}

extern "C" fn on_check(handle: uv::Handle) {
    call(handle);
}

/// Has libuv call where it tells of handles that were closed by then: after the immediates, the last one first.
pub(crate) struct AfterClosing {
    uv: Uv,
    event_loop: *mut c_void,
}

impl AfterClosing {
    /// The event loop must be there as long as this is used.
    pub(crate) fn new(uv: Uv, event_loop: *mut c_void) -> Self {
        Self { uv, event_loop }
    }

    /// A handle that is there only to be closed. `None` if there is none to be had.
    pub(crate) fn handle(&self) -> Option<UvHandle> {
        let (uv, event_loop) = (self.uv, self.event_loop);
        // SAFETY: the memory is for a `uv_idle_t`, and the event loop is there as long as the environment.
        let init = |handle| unsafe { (uv.idle_init)(event_loop, handle) };
        UvHandle::new(uv, uv::IDLE, Rc::new(|| ()), init)
    }
}
