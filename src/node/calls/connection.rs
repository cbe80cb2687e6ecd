//! The calls of every connection. Whatever only some connections need is a method of [`crate::node::exports::connection::ConnectionHandle`].

use std::ffi::CStr;
use std::io;
use std::sync::Arc;

use napi::sys;

use crate::engine::{Connection, Opening, Stream};
use crate::node::bridge::{Bridge, Entry};
use crate::node::calls::config;
use crate::node::calls::messages::{with_bridge, with_connection};
use crate::node::exports::connection::errno;
use crate::node::raw::values::{Entry as RawEntry, bytes_of, number, u32_of, undefined};

/// Functions of a bridge object.
pub(crate) const ENTRIES: &[(&CStr, RawEntry)] = &[
    (c"adopt", adopt),
    (c"finishAdoption", finish_adoption),
    (c"open", open),
    (c"notifyWritten", notify_written),
    (c"notifyDrained", notify_drained),
    (c"bytesRead", bytes_read),
    (c"bytesWritten", bytes_written),
    (c"end", end),
    (c"destroy", destroy),
];

/// Starts a connection on `stream`; returns its id.
pub(crate) fn started(bridge: &Bridge, stream: Stream, opening: Opening) -> f64 {
    let engine = Arc::clone(&bridge.environment().engine);
    let connection = Connection::start(engine, bridge.index(), stream, opening);
    let id = bridge.add(Entry::connection(&connection));
    connection.set_id(id);
    f64::from(id)
}

/// `adopt(fd, isTcp)`: takes the connected socket behind a descriptor of somebody else's over: a duplicate of it becomes
/// ours. Answers with the id of the connection, or with the system's error number, which is negative.
unsafe extern "C" fn adopt(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: this is an entry.
    unsafe {
        with_bridge(env, info, |bridge, [fd, is_tcp]| {
            // SAFETY: JavaScript passes the descriptor of an open handle, which it closes after this call.
            let stream = duplicate(bridge, u32_of(env, fd), u32_of(env, is_tcp) != 0);
            let answer = match stream {
                Ok(stream) => started(bridge, stream, Opening::BeingAdopted),
                Err(error) => f64::from(errno(&error)),
            };
            number(env, answer)
        })
    }
}

/// # Safety
/// The descriptor is open, and stays so meanwhile.
#[cfg(unix)]
unsafe fn duplicate(bridge: &Bridge, fd: u32, is_tcp: bool) -> io::Result<Stream> {
    use std::os::fd::BorrowedFd;

    // SAFETY: the caller's promise; descriptors are no more than i32::MAX.
    let borrowed = unsafe { BorrowedFd::borrow_raw((fd & 0x7fff_ffff) as i32) };
    bridge
        .environment()
        .engine
        .enter(|| Stream::duplicate(borrowed, is_tcp))
}

#[cfg(not(unix))]
unsafe fn duplicate(_: &Bridge, _: u32, _: bool) -> io::Result<Stream> {
    Err(io::ErrorKind::Unsupported.into())
}

/// `finishAdoption(id)`: whoever had the socket before is done with it; nothing is delivered before.
unsafe extern "C" fn finish_adoption(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    // SAFETY: this is an entry.
    unsafe {
        with_connection(env, info, |_, connection| {
            connection.finish_adoption();
            0.0
        })
    }
}

/// `open(id, head, ...config)`: speaks WebSocket from here on; `head` is what was read of it already.
unsafe extern "C" fn open(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    const ARGUMENTS: usize = 2 + config::LENGTH;
    // SAFETY: this is an entry.
    unsafe {
        with_bridge(env, info, |bridge, arguments: [_; ARGUMENTS]| {
            let [id, head, numbers @ ..] = arguments;
            if let Some(connection) = bridge.connection(u32_of(env, id)) {
                let flush = bridge.environment().flush_for(&connection);
                // SAFETY: no JavaScript runs in `open`.
                let head = bytes_of(env, head);
                let config = config::read(env, numbers);
                connection.open(config, head.as_deref().unwrap_or_default(), flush);
            }
            undefined(env)
        })
    }
}

/// `notifyWritten(id)`: has the `written` event sent once a send or write is done whose number was asked for.
unsafe extern "C" fn notify_written(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    // SAFETY: this is an entry.
    unsafe {
        with_connection(env, info, |_, connection| {
            connection.notify_written();
            0.0
        })
    }
}

/// `notifyDrained(id)`: has the `drained` event sent once all that is queued is written.
unsafe extern "C" fn notify_drained(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    // SAFETY: this is an entry.
    unsafe {
        with_connection(env, info, |_, connection| {
            connection.notify_drained();
            0.0
        })
    }
}

/// `bytesRead(id)`: so far.
unsafe extern "C" fn bytes_read(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    // SAFETY: this is an entry.
    unsafe { with_connection(env, info, |_, connection| connection.traffic().0 as f64) }
}

/// `bytesWritten(id)`: those that the kernel took so far.
unsafe extern "C" fn bytes_written(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    // SAFETY: this is an entry.
    unsafe { with_connection(env, info, |_, connection| connection.traffic().1 as f64) }
}

/// `end(id)`: sends FIN after all that is queued.
unsafe extern "C" fn end(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: this is an entry.
    unsafe {
        with_connection(env, info, |bridge, connection| {
            let environment = bridge.environment();
            connection.end(environment.flush_for(connection));
            environment.sent(connection);
            0.0
        })
    }
}

/// `destroy(id, reset)`: closes now; by RST if `reset` is 1.
unsafe extern "C" fn destroy(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: this is an entry.
    unsafe {
        with_bridge(env, info, |bridge, [id, reset]| {
            if let Some(connection) = bridge.connection(u32_of(env, id)) {
                connection.destroy(u32_of(env, reset) != 0);
            }
            undefined(env)
        })
    }
}
