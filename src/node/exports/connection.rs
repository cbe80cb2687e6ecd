//! The native half of a WebSocket on a socket of the engine: everything but messages.

use std::sync::Arc;

use napi::bindgen_prelude::*;
use napi_derive::napi;

use crate::engine::{self, Connection, Probes, Stream};
use crate::node::bridge::Bridge;
use crate::node::bridge::stream_endpoint::{Returned, StreamEndpoint};
use crate::node::bridge::table::Entry;
use crate::node::environment::{Environment, bridge_of};
use crate::node::raw::errno::errno;

/// One end of a TCP connection.
#[napi(object)]
pub struct Address {
    /// The address in text.
    pub address: String,
    /// `IPv4` or `IPv6`.
    pub family: String,
    /// 0 to 65535.
    pub port: u16,
}

impl From<engine::Address> for Address {
    fn from(address: engine::Address) -> Self {
        Self {
            address: address.address,
            family: if address.is_ipv6 { "IPv6" } else { "IPv4" }.into(),
            port: address.port,
        }
    }
}

/// A native connection. Frames go through the bridge by `id`.
#[napi]
pub struct ConnectionHandle {
    connection: Arc<Connection>,
}

/// What a connection gave away.
#[napi(object, object_from_js = false)]
pub struct Detached {
    /// The id of its endpoint.
    pub endpoint: u32,
    /// The task that must be over before the endpoint can go on.
    pub task: Option<u32>,
}

/// A socket that was given away.
#[napi(object, object_from_js = false)]
pub struct Released {
    /// The descriptor, the caller's from here on.
    pub fd: i32,
    /// What was read of it.
    pub bytes: Buffer,
}

impl ConnectionHandle {
    fn with_bridge<T>(&self, work: impl FnOnce(&Bridge) -> T) -> Option<T> {
        let environment = Environment::existing()?;
        let bridge = environment.bridge(self.connection.bridge())?;
        Some(work(&bridge))
    }
}

#[napi]
impl ConnectionHandle {
    /// Delivers bytes as they come from here on; with `with_head` those of a head, too, of which no event was seen. Without,
    /// returns what was read along with the head.
    #[napi(catch_unwind)]
    pub fn start_passthrough(&self, with_head: bool) -> Buffer {
        self.connection.start_passthrough(with_head).into()
    }

    /// Delivers no more of them before `open()`. Returns how many were, those on their way among them.
    #[napi(catch_unwind)]
    pub fn park(&self) -> f64 {
        self.connection.park() as f64
    }

    /// Gives the endpoint away to JavaScript, which carries the bytes from here on.
    #[napi(catch_unwind)]
    pub fn detach(&self) -> Option<Detached> {
        self.with_bridge(|bridge| {
            let (id, task) = bridge.add_task();
            let returned = Returned::default();
            let on_inflated = returned.clone();
            let detached = self.connection.detach(move |job| {
                on_inflated.put(job);
                task.end(Ok(Vec::new()));
            });
            let is_out = detached.as_ref().is_some_and(|(_, is_out)| *is_out);
            if !is_out {
                bridge.remove(id);
            }
            detached.map(|(endpoint, _)| {
                let endpoint = Box::new(StreamEndpoint::new(endpoint, returned));
                Detached {
                    endpoint: bridge.add(Entry::Endpoint(Some(endpoint))),
                    task: is_out.then_some(id),
                }
            })
        })
        .flatten()
    }

    /// Gives the socket away, with all that was read of it, before any of it was a frame. No event follows. Null if it is
    /// closed, or where there are no descriptors.
    #[napi(catch_unwind)]
    pub fn release(&self) -> Option<Released> {
        #[cfg(unix)]
        {
            use std::os::fd::IntoRawFd;

            let (fd, bytes) = self.connection.release()?;
            self.with_bridge(|bridge| bridge.remove(self.connection.id()));
            Some(Released {
                fd: fd.into_raw_fd(),
                bytes: bytes.into(),
            })
        }
        #[cfg(not(unix))]
        None
    }

    /// Stops reading.
    #[napi(catch_unwind)]
    pub fn pause(&self) {
        self.connection.set_paused(true);
    }

    /// Reads again.
    #[napi(catch_unwind)]
    pub fn resume(&self) {
        self.connection.set_paused(false);
    }

    /// Holds back what is sent from here on, until it is uncorked.
    #[napi(catch_unwind)]
    pub fn cork(&self) {
        self.connection.cork();
    }

    /// Writes what was held back.
    #[napi(catch_unwind)]
    pub fn uncork(&self) {
        if let Some(environment) = Environment::existing() {
            environment.sends().write_in_turn(&self.connection);
        }
        self.connection.uncork();
    }

    /// Whether only what is corked is not written. That stays so when it is closed.
    #[napi(getter, catch_unwind)]
    pub fn is_held_back(&self) -> bool {
        self.connection.is_held_back()
    }

    /// Closes when what has arrived is read and reported.
    #[napi(catch_unwind)]
    pub fn close_after_input(&self) {
        self.connection.close_after_input();
    }

    /// TCP keep-alive: `count` probes, `interval` seconds apart, after `delay` seconds of silence; all are the system's if that
    /// is 0. Returns 0 or the system's error number.
    #[napi(catch_unwind)]
    pub fn set_keep_alive(&self, on: bool, delay: u32, interval: u32, count: u32) -> i32 {
        let probes = Probes {
            delay,
            interval,
            count,
        };
        let result = self.connection.set_keepalive(on.then_some(probes));
        result.map_or_else(|error| errno(&error), |()| 0)
    }

    /// The type of service of IPv4, or the traffic class of IPv6. Returns 0 or the system's error number.
    #[napi(catch_unwind)]
    pub fn set_type_of_service(&self, value: u32) -> i32 {
        let result = self.connection.set_type_of_service(value);
        result.map_or_else(|error| errno(&error), |()| 0)
    }

    /// Which it is, or the system's error number, which is negative.
    #[napi(catch_unwind)]
    pub fn type_of_service(&self) -> i32 {
        let result = self.connection.type_of_service();
        result.map_or_else(|error| errno(&error), |value| value as i32)
    }

    /// Our end.
    #[napi(catch_unwind)]
    pub fn local_address(&self) -> Option<Address> {
        self.connection
            .with_stream(Stream::local_address)
            .flatten()
            .map(Address::from)
    }

    /// The peer's end.
    #[napi(catch_unwind)]
    pub fn remote_address(&self) -> Option<Address> {
        self.connection
            .with_stream(Stream::remote_address)
            .flatten()
            .map(Address::from)
    }

    /// The descriptor, -1 when there is none.
    #[napi(getter, catch_unwind)]
    pub fn fd(&self) -> i32 {
        self.connection
            .with_stream(Stream::descriptor)
            .flatten()
            .unwrap_or(-1)
    }

    /// Whether it keeps the event loop alive.
    #[napi(catch_unwind)]
    pub fn set_ref(&self, is_ref: bool) {
        self.with_bridge(|bridge| bridge.set_ref(self.connection.id(), is_ref));
    }
}

/// The handle of the connection that an event named.
#[napi(catch_unwind)]
pub fn take(bridge: u32, id: u32) -> Result<Option<ConnectionHandle>> {
    let bridge = bridge_of(bridge)?;
    Ok(bridge
        .connection(id)
        .map(|connection| ConnectionHandle { connection }))
}
