//! The native half of a WebSocket on a socket of the engine: everything but messages.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use napi::bindgen_prelude::*;
use napi_derive::napi;

use super::bridge::{Bridge, Entry};
use super::environment::Environment;
use super::fed_endpoint::{FedEndpoint, Returned};
use crate::engine::{self, Connection, Gather, Opening, Stream};
use crate::handshake::HeadLimits;
use crate::protocol::deflate::{DeflateParams, InflateParams, Params};
use crate::protocol::{Config, Endpoint, Limits, Role};

/// One end of a TCP connection.
#[napi(object)]
pub struct Address {
    /// The address in text.
    pub address: String,
    /// 0 to 65535.
    pub port: u16,
    /// `IPv4` or `IPv6`.
    pub family: String,
}

impl From<engine::Address> for Address {
    fn from(address: engine::Address) -> Self {
        Self {
            address: address.address,
            port: address.port,
            family: if address.is_ipv6 { "IPv6" } else { "IPv4" }.into(),
        }
    }
}

/// How we compress. The numbers are those of zlib's `deflateInit2`.
#[napi(object)]
pub struct DeflateOptions {
    /// Base-2 logarithm of the window.
    pub window_bits: u8,
    /// -1 to 9.
    pub level: i8,
    /// 1 to 9.
    pub mem_level: u8,
    /// 0 to 4.
    pub strategy: u8,
    /// Each message on its own.
    pub reset: bool,
}

/// How the peer compresses.
#[napi(object)]
pub struct InflateOptions {
    /// Base-2 logarithm of the window.
    pub window_bits: u8,
    /// Each message on its own.
    pub reset: bool,
}

/// The parameters of permessage-deflate.
#[napi(object)]
pub struct DeflateContexts {
    /// Ours.
    pub deflate: DeflateOptions,
    /// The peer's.
    pub inflate: InflateOptions,
}

impl From<DeflateOptions> for DeflateParams {
    fn from(options: DeflateOptions) -> Self {
        Self {
            window_bits: options.window_bits,
            no_context_takeover: options.reset,
            level: options.level,
            mem_level: options.mem_level,
            strategy: options.strategy,
        }
    }
}

impl From<InflateOptions> for InflateParams {
    fn from(options: InflateOptions) -> Self {
        Self {
            window_bits: options.window_bits,
            no_context_takeover: options.reset,
        }
    }
}

impl From<DeflateContexts> for Params {
    fn from(contexts: DeflateContexts) -> Self {
        Self {
            deflate: contexts.deflate.into(),
            inflate: contexts.inflate.into(),
        }
    }
}

/// How an endpoint behaves. 0 means no limit.
#[napi(object)]
pub struct EndpointOptions {
    /// Whether we accepted the connection.
    pub is_server: bool,
    /// Bytes of a message.
    pub max_payload: f64,
    /// Frames of a message.
    pub max_fragments: u32,
    /// Chunks of an unfinished frame.
    pub max_buffered_chunks: u32,
    /// Whether text goes unchecked.
    pub skip_utf8_validation: bool,
    /// The negotiated permessage-deflate, if any.
    pub deflate: Option<DeflateContexts>,
}

impl From<EndpointOptions> for Config {
    fn from(options: EndpointOptions) -> Self {
        Self {
            role: if options.is_server {
                Role::Server
            } else {
                Role::Client
            },
            limits: Limits {
                max_payload: options.max_payload as u64,
                max_fragments: options.max_fragments,
                max_buffered_chunks: options.max_buffered_chunks,
            },
            skip_utf8_validation: options.skip_utf8_validation,
            deflate: options.deflate.map(Params::from),
        }
    }
}

/// The native half of a WebSocket: its connection. Frames go through the bridge by `id`.
#[napi(js_name = "WebSocket")]
pub struct WebSocket {
    connection: Arc<Connection>,
}

/// What a connection gave away.
#[napi(object, object_from_js = false)]
pub struct Demoted {
    /// The id of its endpoint.
    pub endpoint: u32,
    /// The task that must be over before the endpoint can go on.
    pub task: Option<u32>,
}

impl WebSocket {
    fn start(bridge: &Bridge, stream: Stream, opening: Opening) -> Self {
        let engine = Arc::clone(&bridge.environment().engine);
        let connection = Connection::start(engine, bridge.index(), stream, opening);
        connection.set_id(bridge.add(Entry::Connection(Arc::clone(&connection), true)));
        Self { connection }
    }

    fn with_bridge<T>(&self, work: impl FnOnce(&Bridge) -> T) -> Option<T> {
        let environment = Environment::existing()?;
        let bridge = environment.bridge(self.connection.bridge())?;
        Some(work(&bridge))
    }

    fn gather(&self) -> Gather {
        self.with_bridge(|bridge| bridge.environment().gather(&self.connection))
            .unwrap_or(Gather::No)
    }
}

#[napi]
impl WebSocket {
    /// The number of this connection in its bridge, until its `closed` event.
    #[napi(getter, catch_unwind)]
    pub fn id(&self) -> u32 {
        self.connection.id()
    }

    /// Speaks WebSocket from here on; `head` is what was read of it already.
    #[napi(catch_unwind)]
    pub fn open(&self, options: EndpointOptions, head: Option<Uint8Array>) {
        let head = head.as_deref().unwrap_or_default();
        self.connection.open(options.into(), head, self.gather());
    }

    /// Delivers bytes as they come from here on.
    #[napi(catch_unwind)]
    pub fn start_raw(&self) {
        self.connection.start_raw();
    }

    /// Delivers no more of them before `open()`. Returns how many were, those on their way among them.
    #[napi(catch_unwind)]
    pub fn hold_back(&self) -> f64 {
        self.connection.hold_back() as f64
    }

    /// Gives the endpoint away to JavaScript, which carries the bytes from here on.
    #[napi(catch_unwind)]
    pub fn demote(&self) -> Option<Demoted> {
        self.with_bridge(|bridge| {
            let (id, task) = bridge.add_task();
            let returned = Returned::default();
            let heir = returned.clone();
            let demoted = self.connection.demote(move |job| {
                heir.put(job);
                task.end(Ok(Vec::new()));
            });
            let is_out = demoted.as_ref().is_some_and(|(_, is_out)| *is_out);
            if !is_out {
                bridge.remove(id);
            }
            demoted.map(|(endpoint, _)| {
                let fed = Box::new(FedEndpoint::new(endpoint, returned));
                Demoted {
                    endpoint: bridge.add(Entry::Endpoint(Some(fed))),
                    task: is_out.then_some(id),
                }
            })
        })
        .flatten()
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

    /// Keeps what is sent together, until it is uncorked.
    #[napi(catch_unwind)]
    pub fn set_corked(&self, corked: bool) {
        self.connection.set_corked(corked);
    }

    /// Sends FIN after all that is queued.
    #[napi(catch_unwind)]
    pub fn end(&self) {
        self.connection.end(self.gather());
    }

    /// Closes now, by RST if asked so.
    #[napi(catch_unwind)]
    pub fn destroy(&self, reset: bool) {
        self.connection.destroy(reset);
    }

    /// Closes when what has arrived is read and reported.
    #[napi(catch_unwind)]
    pub fn close_behind_input(&self) {
        self.connection.close_behind_input();
    }

    /// Has the `drained` event sent once all that is queued is written.
    #[napi(catch_unwind)]
    pub fn tell_drained(&self) {
        self.connection.tell_drained();
    }

    /// Nagle's algorithm off or on. Returns 0 or the system's error number.
    #[napi(catch_unwind)]
    pub fn set_no_delay(&self, on: bool) -> i32 {
        number_of(self.connection.set_nodelay(on))
    }

    /// TCP keep-alive with a delay in seconds, 0 for the system's. Returns 0 or the system's error number.
    #[napi(catch_unwind)]
    pub fn set_keep_alive(&self, on: bool, delay: u32) -> i32 {
        number_of(self.connection.set_keepalive(on, delay))
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

    /// Bytes read so far.
    #[napi(getter, catch_unwind)]
    pub fn bytes_read(&self) -> f64 {
        self.connection.traffic().0 as f64
    }

    /// Bytes the kernel took so far.
    #[napi(getter, catch_unwind)]
    pub fn bytes_written(&self) -> f64 {
        self.connection.traffic().1 as f64
    }

    /// Keeps the event loop alive, or not.
    #[napi(catch_unwind)]
    pub fn hold(&self, hold: bool) {
        self.with_bridge(|bridge| bridge.set_held(self.connection.id(), hold));
    }
}

fn number_of(result: std::io::Result<()>) -> i32 {
    result.map_or_else(|error| errno(&error), |()| 0)
}

/// The system's error number, negative as Node's are; EIO for errors that the system has no number for.
pub(super) fn errno(error: &std::io::Error) -> i32 {
    -error.raw_os_error().unwrap_or(5)
}

/// The environment and a bridge of it.
pub(super) fn bridge_of(index: u32) -> Result<std::rc::Rc<Bridge>> {
    Environment::existing()
        .and_then(|environment| environment.bridge(index))
        .ok_or_else(|| Error::from_reason("no such bridge"))
}

/// The native half of the connection that an event named.
#[napi(catch_unwind)]
pub fn take(bridge: u32, id: u32) -> Result<Option<WebSocket>> {
    let bridge = bridge_of(bridge)?;
    Ok(bridge
        .connection(id)
        .map(|connection| WebSocket { connection }))
}

/// Begins to connect to an address, from one of ours if given. Returns the system's error number if that fails at once.
/// An upgrade response is expected, at most `max_head` bytes long.
#[napi(catch_unwind)]
pub fn dial_tcp(
    bridge: u32,
    address: String,
    port: u16,
    local_address: Option<String>,
    max_head: u32,
) -> Result<Either<WebSocket, i32>> {
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
pub fn dial_unix(bridge: u32, path: String, max_head: u32) -> Result<Either<WebSocket, i32>> {
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

fn dialled(
    bridge: &Bridge,
    stream: std::io::Result<Stream>,
    max_head: u32,
) -> Either<WebSocket, i32> {
    let limits = HeadLimits {
        max_bytes: max_head as usize,
        ..HeadLimits::default()
    };
    match stream {
        Ok(stream) => Either::A(WebSocket::start(bridge, stream, Opening::Dialled(limits))),
        Err(error) => Either::B(errno(&error)),
    }
}

/// Takes the connected socket behind a descriptor of somebody else's over: a duplicate of it becomes ours. Returns the
/// system's error number if that fails.
#[napi(catch_unwind)]
pub fn adopt(bridge: u32, fd: i32) -> Result<Either<WebSocket, i32>> {
    let bridge = bridge_of(bridge)?;
    #[cfg(unix)]
    let stream = {
        use std::os::fd::BorrowedFd;

        if fd < 0 {
            return Ok(Either::B(-9));
        }
        // SAFETY: JavaScript passes the descriptor of an open handle, which it closes after this call.
        let borrowed = unsafe { BorrowedFd::borrow_raw(fd) };
        bridge
            .environment()
            .engine
            .enter(|| Stream::duplicate(borrowed))
    };
    #[cfg(not(unix))]
    let stream: std::io::Result<Stream> = {
        let _ = fd;
        Err(std::io::ErrorKind::Unsupported.into())
    };
    Ok(match stream {
        Ok(stream) => Either::A(WebSocket::start(&bridge, stream, Opening::Adopted)),
        Err(error) => Either::B(errno(&error)),
    })
}

/// Makes an endpoint whose bytes JavaScript carries; it is fed and frees by its id.
#[napi(catch_unwind)]
pub fn create_endpoint(bridge: u32, options: EndpointOptions) -> Result<u32> {
    let bridge = bridge_of(bridge)?;
    let endpoint = Box::new(Endpoint::new(options.into()));
    let fed = Box::new(FedEndpoint::new(endpoint, Returned::default()));
    Ok(bridge.add(Entry::Endpoint(Some(fed))))
}
