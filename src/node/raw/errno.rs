//! Error numbers as Node.js shows them.

use std::io;

/// The system's error number, negative as Node's are; EIO for errors that the system has no number for.
pub(crate) fn errno(error: &io::Error) -> i32 {
    -error.raw_os_error().unwrap_or(5)
}
