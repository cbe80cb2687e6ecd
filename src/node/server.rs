//! Listening sockets.

use std::sync::Arc;

use napi::bindgen_prelude::*;
use napi_derive::napi;
use tokio::net::TcpListener;

use super::bridge::{Bridge, Entry};
use super::environment::Environment;
use super::websocket::{Address, bridge_of, errno};
use crate::engine::{self, Listener, bind_tcp, socket_address};
use crate::handshake::HeadLimits;

/// A listening socket. Its events come under its `id`; connections come with `head` and `foreign` events.
#[napi]
pub struct Server {
    listener: Arc<Listener>,
    address: Option<engine::Address>,
}

#[napi]
impl Server {
    /// The number of this listener in its bridge, until its `idle` event.
    #[napi(getter, catch_unwind)]
    pub fn id(&self) -> u32 {
        self.listener.id()
    }

    /// Where it listens.
    #[napi(catch_unwind)]
    pub fn address(&self) -> Option<Address> {
        self.address.clone().map(Address::from)
    }

    /// Connections that are not closed yet.
    #[napi(getter, catch_unwind)]
    pub fn connections(&self) -> u32 {
        self.listener.live() as u32
    }

    /// Stops listening; `idle` follows when no connection is left.
    #[napi(catch_unwind)]
    pub fn close(&self) {
        self.listener.close();
    }

    /// Has connections reported when they are accepted: `accepted` comes before `head` and `foreign`.
    #[napi(catch_unwind)]
    pub fn announce(&self) {
        self.listener.announce();
    }

    /// Accepts again after `starved`.
    #[napi(catch_unwind)]
    pub fn resume(&self) {
        self.listener.resume();
    }

    /// Counts one interval against each connection whose head has not come; those that had `limit` are `late`.
    #[napi(catch_unwind)]
    pub fn sweep(&self, limit: u32) {
        self.listener.sweep(limit);
    }

    /// Keeps the event loop alive, or not.
    #[napi(catch_unwind)]
    pub fn hold(&self, hold: bool) {
        let environment = Environment::existing();
        let bridge = environment.and_then(|all| all.bridge(self.listener.bridge()));
        if let Some(bridge) = bridge {
            bridge.set_held(self.listener.id(), hold);
        }
    }
}

/// Listens on a TCP address. Returns the system's error number if that fails. Heads are at most `max_head` bytes long.
#[napi(catch_unwind)]
pub fn listen_tcp(
    bridge: u32,
    address: String,
    port: u16,
    backlog: i32,
    max_head: u32,
) -> Result<Either<Server, i32>> {
    let bridge = bridge_of(bridge)?;
    let engine = &bridge.environment().engine;
    let acceptor = socket_address(&address, port)
        .and_then(|address| engine.enter(|| bind_tcp(address, backlog, false)));
    Ok(listening(&bridge, acceptor, max_head))
}

fn listening(
    bridge: &Bridge,
    acceptor: std::io::Result<TcpListener>,
    max_head: u32,
) -> Either<Server, i32> {
    let acceptor = match acceptor {
        Ok(acceptor) => acceptor,
        Err(error) => return Either::B(errno(&error)),
    };
    let address = acceptor.local_addr().ok().map(engine::Address::from);
    let engine = Arc::clone(&bridge.environment().engine);
    let limits = HeadLimits {
        max_bytes: max_head as usize,
        ..HeadLimits::default()
    };
    let listener = Listener::start(engine, bridge.index(), acceptor, limits);
    listener.set_id(bridge.add(Entry::Listener(Arc::clone(&listener), true)));
    Either::A(Server { listener, address })
}
