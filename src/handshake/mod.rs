//! The opening handshake (RFC 6455, section 4), sans-IO: heads, keys, extensions and subprotocols.

pub mod extensions;
pub mod head;
pub mod keys;
pub mod negotiation;
pub mod request;
pub mod response;
pub mod subprotocol;
pub mod syntax;

pub use head::{Head, HeadLimits, HeadParser, Outcome};
pub use request::parse_request;
pub use response::parse_response;
