//! Connections that the engine dials.

use std::rc::Rc;

use napi::bindgen_prelude::*;
use napi_derive::napi;

use crate::engine::{DialError, Opening, Stream, socket_address};
use crate::handshake::HeadLimits;
use crate::node::bridge::Bridge;
use crate::node::environment::{Environment, bridge_of};
use crate::node::exports::connection::Address;
use crate::node::raw::errno::errno;

/// Why no connection can be begun.
#[napi(object, object_from_js = false)]
pub struct DialFailure {
    /// The system's error number.
    pub errno: i32,
    /// Our end, where the socket had been made.
    pub local: Option<Address>,
}

/// Begins to connect to an address; returns the id of the connection. An upgrade response is expected, at most
/// `max_head` bytes long.
#[napi(catch_unwind)]
pub fn dial_tcp(
    bridge: u32,
    address: String,
    port: u16,
    max_head: u32,
) -> Result<Either<f64, DialFailure>> {
    let bridge = bridge_to_dial(bridge)?;
    let stream = socket_address(&address, port)
        .map_err(DialError::from)
        .and_then(|to| bridge.engine().enter(|| Stream::dial_tcp(to)));
    Ok(dialled(&bridge, stream, max_head))
}

/// The same for a Unix domain socket.
#[napi(catch_unwind)]
pub fn dial_unix(bridge: u32, path: String, max_head: u32) -> Result<Either<f64, DialFailure>> {
    let bridge = bridge_to_dial(bridge)?;
    #[cfg(unix)]
    let stream = bridge.engine().enter(|| Stream::dial_unix(path.as_bytes()));
    #[cfg(not(unix))]
    let stream = {
        let _ = path;
        Err(std::io::Error::from(std::io::ErrorKind::Unsupported).into())
    };
    Ok(dialled(&bridge, stream, max_head))
}

fn bridge_to_dial(index: u32) -> Result<Rc<Bridge>> {
    if let Some(environment) = Environment::existing() {
        environment.before_dialling();
    }
    bridge_of(index)
}

fn dialled(
    bridge: &Bridge,
    stream: std::result::Result<Stream, DialError>,
    max_head: u32,
) -> Either<f64, DialFailure> {
    let limits = HeadLimits {
        max_bytes: max_head as usize,
        ..HeadLimits::default()
    };
    match stream {
        Ok(stream) => Either::A(
            bridge
                .start_connection(stream, Opening::Dialled(limits))
                .into(),
        ),
        Err(DialError { error, local }) => Either::B(DialFailure {
            errno: errno(&error),
            local: local.map(Address::from),
        }),
    }
}
