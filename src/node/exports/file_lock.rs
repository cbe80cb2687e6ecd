//! Locks of files.

use napi::bindgen_prelude::*;
use napi_derive::napi;

use crate::engine;

/// Locks the file behind a descriptor, if nobody else has, until that is closed or the process ends. Returns whether it
/// did.
#[napi(catch_unwind)]
pub fn try_lock(fd: i32) -> Result<bool> {
    engine::try_lock(fd).map_err(|error| Error::from_reason(error.to_string()))
}
