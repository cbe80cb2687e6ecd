//! Locks that the system takes back when a process ends.

use std::io;

/// Locks the file behind a descriptor for this process, if nobody else has locked it; until the descriptor is closed.
/// Returns whether it did.
#[cfg(unix)]
pub fn try_lock(fd: i32) -> io::Result<bool> {
    // SAFETY: no memory is passed; any number may be, what is no descriptor is an error.
    if unsafe { libc::flock(fd, libc::LOCK_EX | libc::LOCK_NB) } == 0 {
        return Ok(true);
    }
    let error = io::Error::last_os_error();
    if error.kind() == io::ErrorKind::WouldBlock {
        Ok(false)
    } else {
        Err(error)
    }
}

/// Pipes of Windows need no lock.
#[cfg(not(unix))]
pub fn try_lock(_: i32) -> io::Result<bool> {
    Err(io::ErrorKind::Unsupported.into())
}
