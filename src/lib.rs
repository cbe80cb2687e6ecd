//! The Rust half of oxws: the WebSocket protocol, its handshake, the sockets, and the bridge to JavaScript.
//!
//! ```text
//! socket ─► engine ─► protocol ─► batch of events ─► node ─► lib/native/bridge.js ─► 'message'
//! socket ◄─ engine ◄─ out queue ◄─ protocol ◄─────── node ◄─ lib/native/bridge.js ◄─ send()
//! ```
//!
//! [`protocol`] and [`handshake`] are sans-IO: bytes in, events and bytes out. [`engine`] gives them sockets on a tokio
//! runtime. `node` is all that knows N-API.
#![warn(missing_docs, clippy::undocumented_unsafe_blocks)]

pub mod engine;
pub mod handshake;
// napi's exports are not compiled into unit tests, so that nothing there would use it.
#[cfg(not(test))]
mod node;
pub mod protocol;
