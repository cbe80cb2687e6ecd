//! Error numbers as Node.js shows them.

use std::io;

use crate::engine;

/// The number of an error, negative as Node's are.
pub(crate) fn errno(error: &io::Error) -> i32 {
    -engine::errno(error).cast_signed()
}
