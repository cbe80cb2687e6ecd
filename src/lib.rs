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
mod memory;
#[cfg_attr(
    test,
    allow(
        dead_code,
        reason = "napi leaves its exports out of unit tests, and nothing else uses the rest"
    )
)]
mod node;
pub mod protocol;
