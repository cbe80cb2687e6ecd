//! Listening sockets.

use std::sync::Arc;

use napi::bindgen_prelude::*;
use napi_derive::napi;
use tokio::net::TcpListener;

use crate::engine::Listener;
use crate::handshake::HeadLimits;
use crate::node::bridge::Bridge;
use crate::node::bridge::table::Entry;
use crate::node::environment::{Environment, bridge_of};
use crate::node::raw::errno::errno;

/// A listening socket. Its events come under its `id`; the first event of each connection is `accepted`.
#[napi]
pub struct ListenerHandle {
    listener: Arc<Listener>,
}

#[napi]
impl ListenerHandle {
    /// The number of this listener in its bridge, until its `listenerClosed` event.
    #[napi(getter, catch_unwind)]
    pub fn id(&self) -> u32 {
        self.listener.id()
    }

    /// Stops listening; `listenerClosed` follows when all connections have been reported.
    #[napi(catch_unwind)]
    pub fn close(&self) {
        self.listener.close();
    }

    /// Accepts again after `acceptFailed`.
    #[napi(catch_unwind)]
    pub fn resume(&self) {
        self.listener.resume();
    }

    /// Connections that are accepted from here on are paused.
    #[napi(catch_unwind)]
    pub fn stop_reading_ahead(&self) {
        self.listener.stop_reading_ahead();
    }

    /// Whether it keeps the event loop alive.
    #[napi(catch_unwind)]
    pub fn set_ref(&self, is_ref: bool) {
        let environment = Environment::existing();
        let bridge = environment.and_then(|all| all.bridge(self.listener.bridge()));
        if let Some(bridge) = bridge {
            bridge.set_ref(self.listener.id(), is_ref);
        }
    }
}

/// Listens, by a duplicate, on the bound TCP socket behind a descriptor of somebody else's. Returns the system's error
/// number if that fails. Heads are at most `max_head` bytes long.
#[napi(catch_unwind)]
pub fn listen(
    bridge: u32,
    fd: u32,
    backlog: i32,
    max_head: u32,
) -> Result<Either<ListenerHandle, i32>> {
    let bridge = bridge_of(bridge)?;
    let acceptor = match acceptor(&bridge, fd, backlog) {
        Ok(acceptor) => acceptor,
        Err(error) => return Ok(Either::B(errno(&error))),
    };
    let engine = Arc::clone(bridge.engine());
    let limits = HeadLimits {
        max_bytes: max_head as usize,
        ..HeadLimits::default()
    };
    let listener = Listener::start(engine, bridge.index(), acceptor, limits);
    listener.set_id(bridge.add(Entry::Listener(Arc::clone(&listener), true)));
    Ok(Either::A(ListenerHandle { listener }))
}

#[cfg(unix)]
fn acceptor(bridge: &Bridge, fd: u32, backlog: i32) -> std::io::Result<TcpListener> {
    use std::os::fd::BorrowedFd;

    use crate::engine::listen_on;

    // SAFETY: JavaScript passes the descriptor of an open handle, which it closes after this call; descriptors are no
    // more than i32::MAX.
    let fd = unsafe { BorrowedFd::borrow_raw((fd & 0x7fff_ffff) as i32) };
    bridge.engine().enter(|| listen_on(fd, backlog))
}

#[cfg(not(unix))]
fn acceptor(_: &Bridge, _: u32, _: i32) -> std::io::Result<TcpListener> {
    Err(std::io::ErrorKind::Unsupported.into())
}
