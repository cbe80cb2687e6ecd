//! What the addon exports to JavaScript through `#[napi]`, and raw functions that need no bridge.

pub(crate) mod attach;
pub(crate) mod connection;
pub(crate) mod deflate;
pub(crate) mod deflate_params;
pub(crate) mod dial;
pub(crate) mod file_lock;
pub(crate) mod frames;
pub(crate) mod handshake;
pub(crate) mod listener;
