//! What libuv's epoll is told of descriptors that are duplicated.

use std::ffi::c_int;

/// Has libuv's `epoll` forget the socket behind a descriptor that libuv is about to close.
///
/// libuv 1.45 to 1.48 with io_uring closes it first, and tells epoll later, by a number that is nobody's then. As the duplicate
/// goes on, epoll would, too, and the end of that socket would be told to the next one with this number.
#[cfg(target_os = "linux")]
pub(crate) fn unwatch(epoll: c_int, fd: c_int) {
    // SAFETY: no pointer is read for this operation. A descriptor that is not watched is an error, and does no harm.
    unsafe { libc::epoll_ctl(epoll, libc::EPOLL_CTL_DEL, fd, std::ptr::null_mut()) };
}

/// Other systems forget a descriptor when it is closed, whatever its duplicates do.
#[cfg(not(target_os = "linux"))]
pub(crate) fn unwatch(_: c_int, _: c_int) {}
