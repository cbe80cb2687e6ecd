//! TLS on a session of Node's: after Node's own handshake the engine goes on with the same OpenSSL object.

mod live;
mod openssl;
mod pipe;
mod session;

pub(crate) use session::Session;
pub use session::{FormerBios, FoundSession, TlsError};

/// Begins to note what sessions are made; those from before cannot be found. Tells whether that works here.
pub fn watch_sessions() -> bool {
    live::watch()
}
