//! Calls of C: N-API's, libuv's, and what comes from them.

pub(crate) mod catch_panic;
pub(crate) mod errno;
pub(crate) mod uv;
pub(crate) mod uv_handle;
pub(crate) mod values;
pub(crate) mod words;
