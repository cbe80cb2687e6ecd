//! The opening handshake (RFC 6455, section 4), sans-IO: heads, keys, extensions and subprotocols.

pub mod deflate_params;
pub mod extensions;
pub mod head;
pub mod keys;
pub mod subprotocol;
pub mod syntax;

pub use head::{Head, HeadLimits, HeadParser, Parsed};
