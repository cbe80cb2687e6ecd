//! Handles of libuv, and what they call.

use std::ffi::c_int;
use std::rc::Rc;

use super::catch_panic::catch_panic;
use super::uv::{self, Uv};

/// What a handle calls on the JS thread.
pub(crate) type Callback = Rc<dyn Fn()>;

/// An open handle. It does not keep the event loop alive unless told to.
pub(crate) struct UvHandle {
    uv: Uv,
    raw: uv::Handle,
    kind: c_int,
    /// Where the handle's data points to.
    _callback: Box<Callback>,
}

/// What closing a handle is followed by.
struct Closing {
    uv: Uv,
    kind: c_int,
    then: Box<dyn FnOnce()>,
}

impl UvHandle {
    /// A handle of `kind` that `init` makes of its memory: `None` if that does not return 0. [`call`] on it calls
    /// `callback`.
    pub(crate) fn new(
        uv: Uv,
        kind: c_int,
        callback: Callback,
        init: impl FnOnce(uv::Handle) -> c_int,
    ) -> Option<Self> {
        let callback = Box::new(callback);
        let raw = uv.allocate(kind);
        if init(raw) != 0 {
            // SAFETY: the memory is of this kind, and libuv has not taken it.
            unsafe { uv.free(raw, kind) };
            return None;
        }
        // SAFETY: `init` made it a handle; the callback stays where it is as long as the handle is open.
        unsafe {
            uv::set_data(raw, &raw const *callback);
            (uv.unref_handle)(raw);
        }
        Some(Self {
            uv,
            raw,
            kind,
            _callback: callback,
        })
    }

    /// libuv's functions, and the handle to call them with.
    pub(crate) fn parts(&self) -> (&Uv, uv::Handle) {
        (&self.uv, self.raw)
    }

    /// Has libuv close the handle, and then `then` called. The callback is not called any more.
    pub(crate) fn close(self, then: impl FnOnce() + 'static) {
        let Self { uv, raw, kind, .. } = self;
        let then = Box::new(then);
        let closing = Box::into_raw(Box::new(Closing { uv, kind, then }));
        // SAFETY: the handle is open, and closed only here, as `self` is gone then.
        unsafe {
            uv::set_data(raw, closing);
            (uv.close)(raw, on_closed);
        }
    }
}

/// Calls the callback of an open handle: what libuv's own callbacks do.
pub(crate) fn call(handle: uv::Handle) {
    catch_panic(|| {
        // SAFETY: libuv calls with an open handle of a `UvHandle`, whose data is its callback. The copy lives on if the
        // callback closes the handle.
        let callback = unsafe { Rc::clone(&*uv::data::<Callback>(handle)) };
        callback();
    });
}

extern "C" fn on_closed(handle: uv::Handle) {
    catch_panic(|| {
        // SAFETY: `close` put this into the handle, and libuv calls once, when it is done with the handle.
        let then = unsafe {
            let closing = Box::from_raw(uv::data::<Closing>(handle));
            closing.uv.free(handle, closing.kind);
            closing.then
        };
        then();
    });
}
