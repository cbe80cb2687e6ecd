//! The WebSocket protocol (RFC 6455, RFC 7692) without I/O: bytes in, events out; payloads in, frames
//! out. No socket, no clock, no runtime.

pub mod close;
pub mod deflate;
pub mod endpoint;
pub mod frame;
pub mod mask;
pub mod message;
pub mod receiver;
pub mod role;
pub mod sender;
pub mod utf8;
pub mod violation;

pub use endpoint::{Config, Endpoint};
pub use frame::FrameFlags;
pub use receiver::{Limits, Message, Payload, Receiver, Sink};
pub use role::Role;
pub use violation::Violation;
