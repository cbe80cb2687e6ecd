//! The N-API half of the bridge; `lib/native/bridge.js` is the JavaScript half. Nothing else in the crate knows napi.
//!
//! Cold calls are `#[napi]` functions and classes. The calls of every message and connection are raw N-API functions over
//! numbers, strings and byte arrays: an order of magnitude cheaper.

mod bridge;
mod calls;
mod driver;
mod environment;
mod exports;
mod raw;
