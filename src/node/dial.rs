//! Connections of ours to somebody else.

use std::io;
use std::net::{IpAddr, SocketAddr};

use napi::bindgen_prelude::*;
use napi_derive::napi;

use super::bridge::Bridge;
use super::lifecycle::started;
use super::websocket::bridge_of;
use crate::engine::{Opening, Stream};
use crate::handshake::HeadLimits;

/// Begins to connect to an address, from one of ours if given. Returns the id of the connection, or the
/// system's error number, which is negative, if that fails at once. An upgrade response is expected, at most `max_head` bytes long.
#[napi(catch_unwind)]
pub fn dial_tcp(
    bridge: u32,
    address: String,
    port: u16,
    local_address: Option<String>,
    max_head: u32,
) -> Result<f64> {
    let bridge = bridge_of(bridge)?;
    let ip = |text: &str| {
        text.parse::<IpAddr>()
            .map_err(|error| Error::new(Status::InvalidArg, error.to_string()))
    };
    let to = match address.parse::<SocketAddr>() {
        Ok(to) => to,
        Err(_) => SocketAddr::new(ip(&address)?, port),
    };
    let from = local_address.as_deref().map(ip).transpose()?;
    let stream = bridge
        .environment()
        .engine
        .enter(|| Stream::dial_tcp(to, from));
    Ok(dialled(&bridge, stream, max_head))
}

/// The same for a Unix domain socket.
#[napi(catch_unwind)]
pub fn dial_unix(bridge: u32, path: String, max_head: u32) -> Result<f64> {
    let bridge = bridge_of(bridge)?;
    #[cfg(unix)]
    let stream = bridge
        .environment()
        .engine
        .enter(|| Stream::dial_unix(path.as_bytes()));
    #[cfg(not(unix))]
    let stream: std::io::Result<Stream> = {
        let _ = path;
        Err(std::io::ErrorKind::Unsupported.into())
    };
    Ok(dialled(&bridge, stream, max_head))
}

fn dialled(bridge: &Bridge, stream: io::Result<Stream>, max_head: u32) -> f64 {
    let limits = HeadLimits {
        max_bytes: max_head as usize,
        ..HeadLimits::default()
    };
    started(bridge, stream, Opening::Dialled(limits))
}
