//! The opening handshake (RFC 6455, section 4), sans-IO: heads, keys, extensions and subprotocols.

pub mod head;
pub mod keys;
pub mod request;
pub mod response;
pub mod syntax;
