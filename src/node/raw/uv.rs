//! The few functions of libuv that the drivers need, looked up when the addon runs: the crate links without
//! Node, and runs in hosts that have no libuv.

use std::ffi::{CStr, c_int, c_void};

/// An opaque `uv_handle_t`.
pub(crate) type Handle = *mut c_void;
pub(crate) type AsyncCallback = extern "C" fn(Handle);
pub(crate) type PollCallback = extern "C" fn(Handle, c_int, c_int);
pub(crate) type RoundCallback = extern "C" fn(Handle);
pub(crate) type CloseCallback = extern "C" fn(Handle);

/// `UV_ASYNC`, `UV_CHECK`, `UV_IDLE`, `UV_POLL` and `UV_PREPARE` of `uv_handle_type`.
pub(crate) const ASYNC: c_int = 1;
pub(crate) const CHECK: c_int = 2;
pub(crate) const IDLE: c_int = 6;
pub(crate) const POLL: c_int = 8;
pub(crate) const PREPARE: c_int = 9;

/// `UV_READABLE`.
pub(crate) const READABLE: c_int = 1;

macro_rules! functions {
    ($($name:ident = $symbol:literal: fn($($argument:ty),*) $(-> $result:ty)?;)*) => {
        /// libuv's functions.
        #[derive(Clone, Copy)]
        pub(crate) struct Uv {
            $(pub(crate) $name: unsafe extern "C" fn($($argument),*) $(-> $result)?,)*
        }

        impl Uv {
            /// libuv, if the process has it.
            pub(crate) fn find() -> Option<Self> {
                $(
                    let $name = look_up($symbol);
                    if $name.is_null() {
                        return None;
                    }
                )*
                Some(Self {
                    $(
                        // SAFETY: libuv's ABI is stable within version 1, which Node has had since 2014.
                        $name: unsafe {
                            std::mem::transmute::<*mut c_void, unsafe extern "C" fn($($argument),*) $(-> $result)?>($name)
                        },
                    )*
                })
            }
        }
    };
}

functions! {
    backend_fd = c"uv_backend_fd": fn(*const c_void) -> c_int;
    backend_timeout = c"uv_backend_timeout": fn(*const c_void) -> c_int;
    handle_size = c"uv_handle_size": fn(c_int) -> usize;
    async_init = c"uv_async_init": fn(*mut c_void, Handle, AsyncCallback) -> c_int;
    async_send = c"uv_async_send": fn(Handle) -> c_int;
    poll_init = c"uv_poll_init": fn(*mut c_void, Handle, c_int) -> c_int;
    poll_start = c"uv_poll_start": fn(Handle, c_int, PollCallback) -> c_int;
    poll_stop = c"uv_poll_stop": fn(Handle) -> c_int;
    prepare_init = c"uv_prepare_init": fn(*mut c_void, Handle) -> c_int;
    prepare_start = c"uv_prepare_start": fn(Handle, RoundCallback) -> c_int;
    prepare_stop = c"uv_prepare_stop": fn(Handle) -> c_int;
    idle_init = c"uv_idle_init": fn(*mut c_void, Handle) -> c_int;
    idle_start = c"uv_idle_start": fn(Handle, RoundCallback) -> c_int;
    idle_stop = c"uv_idle_stop": fn(Handle) -> c_int;
    check_init = c"uv_check_init": fn(*mut c_void, Handle) -> c_int;
    check_start = c"uv_check_start": fn(Handle, RoundCallback) -> c_int;
    check_stop = c"uv_check_stop": fn(Handle) -> c_int;
    close = c"uv_close": fn(Handle, CloseCallback);
    ref_handle = c"uv_ref": fn(Handle);
    unref_handle = c"uv_unref": fn(Handle);
}

impl Uv {
    /// The descriptor that is readable when there are events for `event_loop`, one that is there.
    pub(crate) fn fd_of(&self, event_loop: *mut c_void) -> c_int {
        // SAFETY: the event loop is there.
        unsafe { (self.backend_fd)(event_loop) }
    }

    /// Memory for a handle of `kind`, zeroed.
    pub(crate) fn allocate(&self, kind: c_int) -> Handle {
        // SAFETY: any kind is a valid argument.
        let size = unsafe { (self.handle_size)(kind) };
        let words = size.div_ceil(size_of::<u64>());
        Box::leak(vec![0u64; words].into_boxed_slice())
            .as_mut_ptr()
            .cast()
    }

    /// Gives the memory of a closed handle back.
    ///
    /// # Safety
    /// `handle` came from [`Uv::allocate`] with the same kind, and libuv has closed it.
    pub(crate) unsafe fn free(&self, handle: Handle, kind: c_int) {
        // SAFETY: the caller's promise; the size is the one of `allocate`.
        unsafe {
            let words = (self.handle_size)(kind).div_ceil(size_of::<u64>());
            drop(Box::from_raw(std::ptr::slice_from_raw_parts_mut(
                handle.cast::<u64>(),
                words,
            )));
        }
    }
}

/// A function of the program, or null.
#[cfg(unix)]
fn look_up(symbol: &CStr) -> *mut c_void {
    // SAFETY: the name ends with a NUL.
    unsafe { libc::dlsym(libc::RTLD_DEFAULT, symbol.as_ptr()) }
}

/// The same on Windows, where `node.exe` and what others make of it export what Node.js is made of.
#[cfg(windows)]
fn look_up(symbol: &CStr) -> *mut c_void {
    use std::ffi::c_char;
    use std::ptr;

    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn GetModuleHandleW(name: *const u16) -> *mut c_void;
        fn GetProcAddress(module: *mut c_void, symbol: *const c_char) -> *mut c_void;
    }

    // SAFETY: no name is that of the program, which is always loaded; the other name ends with a NUL.
    unsafe { GetProcAddress(GetModuleHandleW(ptr::null()), symbol.as_ptr()) }
}

/// Whether there is something to read from a descriptor.
#[cfg(unix)]
pub(crate) fn is_readable(fd: c_int) -> bool {
    let mut poll = libc::pollfd {
        fd,
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: one entry, which lives as long as the call.
    unsafe { libc::poll(&mut poll, 1, 0) > 0 }
}

/// libuv has no descriptor here.
#[cfg(not(unix))]
pub(crate) fn is_readable(_fd: c_int) -> bool {
    false
}

/// The pointer kept in a handle.
///
/// # Safety
/// `handle` is an open handle.
pub(crate) unsafe fn data<T>(handle: Handle) -> *mut T {
    // SAFETY: `void* data` is the first and public member of every `uv_handle_t`.
    unsafe { *handle.cast::<*mut T>() }
}

/// Keeps a pointer in a handle.
///
/// # Safety
/// As [`data`].
pub(crate) unsafe fn set_data<T>(handle: Handle, data: *const T) {
    // SAFETY: `void* data` is the first and public member of every `uv_handle_t`, and ours to set.
    unsafe { *handle.cast::<*const T>() = data };
}
