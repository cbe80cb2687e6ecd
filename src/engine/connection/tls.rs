//! What connections do whose TLS session Node made.

use std::io;
use std::sync::Arc;
use std::task::Context;

use super::Connection;
use super::state::State;
use crate::engine::events::OF_TLS;
use crate::engine::stream::{Stream, TlsStream};
use crate::engine::sync::lock;
use crate::engine::tls::{FormerBios, TlsError};

/// What came of [`Connection::take_session`].
pub enum Taking {
    /// It is ours; Node's `BIO`s have to be dropped once its `TLSWrap` is done with them.
    Taken(FormerBios),
    /// Records of Node's are on their way.
    NotYet,
    /// The connection is closed.
    Gone,
}

impl Connection {
    /// Takes over the TLS session that its socket was made with, now that Node is done with it, with what Node has read of
    /// it: the adoption is finished. JavaScript has to be ready for events when this returns to the event loop. See
    /// [`TlsStream::take`].
    pub fn take_session(self: &Arc<Self>, early: &[u8], sent: Option<u64>) -> Taking {
        self.command(|state, _| match state.take_session(early, sent) {
            Some(bios) => Taking::Taken(bios),
            None if state
                .stream
                .as_ref()
                .is_some_and(|stream| !stream.is_ready()) =>
            {
                Taking::NotYet
            }
            None => Taking::Gone,
        })
    }

    /// Runs `work` under the lock: nobody reads or writes meanwhile.
    pub fn with_lock<T>(&self, work: impl FnOnce() -> T) -> T {
        let _state = lock(&self.state);
        work()
    }
}

impl State {
    fn take_session(&mut self, early: &[u8], sent: Option<u64>) -> Option<FormerBios> {
        let bios = self.stream.as_mut()?.tls()?.take(sent)?;
        self.input.add_early(early);
        // What was read is told with what has waited to be sent, not after it.
        self.awaits_adoption = false;
        Some(bios)
    }

    /// Sends what the session has to say to what was read.
    pub(super) fn flush_session(&mut self, context: &mut Context<'_>) {
        let tls = self.stream.as_mut().and_then(Stream::tls);
        if tls.is_some_and(TlsStream::has_unsent) {
            self.flush(context);
        }
    }

    /// Notes what OpenSSL says of an error, if it is one of its.
    pub(super) fn note_tls_error(&mut self, error: &io::Error) {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
        if let Some(TlsError {
            message,
            library,
            reason,
        }) = inner
        {
            self.reason = OF_TLS;
            self.reason_text = Some([message.as_str(), library, reason].join("\0").into());
        }
    }
}
