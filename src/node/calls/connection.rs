//! The calls of every connection and of every message that it sends.

use std::io;

use napi::sys;

use super::{CallContext, Entries, config, entry};
use crate::engine::{Opening, Stream};
use crate::node::raw::errno::errno;
use crate::node::raw::values::{bytes_of, number, u32_of, undefined};
use crate::protocol::FrameFlags;

/// Descriptors are no more than this.
const MAX_FD: u32 = i32::MAX as u32;

pub(super) const ENTRIES: Entries = &[
    (c"adopt", entry!(adopt)),
    (c"unwatch", entry!(unwatch)),
    (c"finishAdoption", entry!(finish_adoption)),
    (c"setNoDelay", entry!(set_no_delay)),
    (c"open", entry!(open)),
    (c"poll", entry!(poll)),
    (c"send", entry!(send)),
    (c"write", entry!(write)),
    (c"queued", entry!(queued)),
    (c"written", entry!(written)),
    (c"takesAtOnce", entry!(takes_at_once)),
    (c"pending", entry!(pending)),
    (c"notifyWritten", entry!(notify_written)),
    (c"notifyDrained", entry!(notify_drained)),
    (c"bytesRead", entry!(bytes_read)),
    (c"bytesWritten", entry!(bytes_written)),
    (c"sharedFrames", entry!(shared_frames)),
    (c"end", entry!(end)),
    (c"destroy", entry!(destroy)),
];

/// `adopt(fd, isTcp)`: takes the connected socket behind a descriptor of somebody else's over: a duplicate of it becomes
/// ours. Answers with the id of the connection, or with the system's error number, which is negative.
fn adopt(context: &CallContext, [fd, is_tcp]: [sys::napi_value; 2]) -> sys::napi_value {
    let env = context.env();
    // SAFETY: JavaScript passes the descriptor of an open handle, which it closes after this call.
    let stream = unsafe { duplicate(context, u32_of(env, fd), u32_of(env, is_tcp) != 0) };
    let answer = match stream {
        Ok(stream) => context
            .bridge
            .start_connection(stream, Opening::Adopted)
            .into(),
        Err(error) => f64::from(errno(&error)),
    };
    number(env, answer)
}

/// `unwatch(fd)`: Node.js is about to close the descriptor of a socket that was adopted, and libuv's epoll has to forget it.
fn unwatch(context: &CallContext, [fd]: [sys::napi_value; 1]) -> sys::napi_value {
    let env = context.env();
    context
        .environment()
        .unwatch((u32_of(env, fd) & MAX_FD) as i32);
    undefined(env)
}

/// # Safety
/// The descriptor is open, and stays so meanwhile.
#[cfg(unix)]
pub(super) unsafe fn duplicate(context: &CallContext, fd: u32, is_tcp: bool) -> io::Result<Stream> {
    use std::os::fd::BorrowedFd;

    // SAFETY: the caller's promise.
    let borrowed = unsafe { BorrowedFd::borrow_raw((fd & MAX_FD) as i32) };
    let engine = context.bridge.engine();
    engine.enter(|| Stream::duplicate(borrowed, is_tcp))
}

#[cfg(not(unix))]
pub(super) unsafe fn duplicate(_: &CallContext, _: u32, _: bool) -> io::Result<Stream> {
    Err(io::ErrorKind::Unsupported.into())
}

/// `finishAdoption(id)`: Node.js is done with the socket; nothing is delivered before. Answers with 1 if there is something to
/// deliver that came before, by [`poll`], which is to be called then.
fn finish_adoption(context: &CallContext, [id]: [sys::napi_value; 1]) -> sys::napi_value {
    context.number_of(id, |connection| {
        let is_polled = connection.finish_adoption();
        if is_polled {
            context.environment().await_poll(connection);
        }
        f64::from(u8::from(is_polled))
    })
}

/// `setNoDelay(id, on)`: Nagle's algorithm off, if `on` is 1, or on. Answers with 0 or the system's error number.
fn set_no_delay(context: &CallContext, [id, on]: [sys::napi_value; 2]) -> sys::napi_value {
    let on = u32_of(context.env(), on) != 0;
    context.number_of(id, |connection| match connection.set_nodelay(on) {
        Ok(()) => 0.0,
        Err(error) => f64::from(errno(&error)),
    })
}

/// `open(id, early, ...config)`: speaks WebSocket from here on; `early` is what was read of it already. Answers with 1 if
/// there is something to deliver, by [`poll`], which has to be called then.
fn open(
    context: &CallContext,
    [id, early, numbers @ ..]: [sys::napi_value; 2 + config::LENGTH],
) -> sys::napi_value {
    let env = context.env();
    context.number_of(id, |connection| {
        let sends = context.environment().sends();
        let flush = sends.flush_for_opening(connection);
        // SAFETY: the bytes are used in `open` only, where no JavaScript runs.
        let early = unsafe { bytes_of(env, early) };
        let config = config::read(env, numbers);
        let is_polled = connection.open(config, early.as_deref().unwrap_or_default(), flush);
        if is_polled {
            context.environment().await_poll(connection);
        }
        f64::from(u8::from(is_polled))
    })
}

/// `poll(id)`: has the connection polled and what comes of it delivered, here and now; where the I/O thread drives, what came
/// before it was opened.
fn poll(context: &CallContext, [id]: [sys::napi_value; 1]) -> sys::napi_value {
    if let Some(connection) = context.connection(id) {
        context.environment().poll_now(connection);
    }
    undefined(context.env())
}

/// `send(id, data, flags, key)`: frames and sends.
fn send(context: &CallContext, [id, data, flags, key]: [sys::napi_value; 4]) -> sys::napi_value {
    let env = context.env();
    context
        .bridge
        .with_connection(u32_of(env, id), |connection| {
            let flags = FrameFlags::from(u32_of(env, flags));
            let key = if flags.has(FrameFlags::KEY) {
                u32_of(env, key)
            } else {
                0
            };
            let sends = context.environment().sends();
            let compress = flags.has(FrameFlags::COMPRESS);
            if compress {
                sends.count_compressed();
            }
            context.with_payload(data, |payload| {
                let flush = if flags.is_close() && sends.is_dispatching() {
                    // FIN leaves with it.
                    sends.flush_for(connection)
                } else {
                    sends.flush_for_bytes(connection, compress, payload.len())
                };
                connection.send(payload, flags, key.to_le_bytes(), flush);
            });
            sends.sent(connection);
        });
    undefined(env)
}

/// `write(id, data)`: sends bytes as they are.
fn write(context: &CallContext, [id, data]: [sys::napi_value; 2]) -> sys::napi_value {
    if let Some(connection) = context.connection(id) {
        let sends = context.environment().sends();
        context.with_payload(data, |bytes| {
            let flush = sends.flush_for_bytes(&connection, false, bytes.len());
            connection.write(&bytes, flush);
        });
        sends.sent(&connection);
    }
    undefined(context.env())
}

/// `queued(id)`: the number of the last send or write.
fn queued(context: &CallContext, [id]: [sys::napi_value; 1]) -> sys::napi_value {
    context.number_of(id, |connection| connection.sequence_number() as f64)
}

/// `written(id, now)`: the number of the last send or write that is done, among those asked for; 0 if none is since the
/// last call. Before, what waits is written here, by thread only if `now` is 1.
fn written(context: &CallContext, [id, now]: [sys::napi_value; 2]) -> sys::napi_value {
    context.number_of(id, |connection| {
        let sends = context.environment().sends();
        if sends.is_inline() || u32_of(context.env(), now) != 0 {
            sends.write_in_turn(connection);
            connection.flush();
        }
        connection.written() as f64
    })
}

/// `takesAtOnce(id)`: 1 if what waits is as good as written.
fn takes_at_once(context: &CallContext, [id]: [sys::napi_value; 1]) -> sys::napi_value {
    context.number_of(id, |connection| {
        f64::from(u8::from(connection.takes_at_once()))
    })
}

/// `pending(id)`: bytes the kernel does not have, after a try to write.
fn pending(context: &CallContext, [id]: [sys::napi_value; 1]) -> sys::napi_value {
    context.number_of(id, |connection| {
        context.environment().sends().write_in_turn(connection);
        connection.flush_fully();
        connection.pending() as f64
    })
}

/// `notifyWritten(id)`: has the `written` event sent once a send or write is done whose number was asked for.
fn notify_written(context: &CallContext, [id]: [sys::napi_value; 1]) -> sys::napi_value {
    context.number_of(id, |connection| {
        connection.notify_written();
        0.0
    })
}

/// `notifyDrained(id)`: has the `drained` event sent once all that is queued is written.
fn notify_drained(context: &CallContext, [id]: [sys::napi_value; 1]) -> sys::napi_value {
    context.number_of(id, |connection| {
        connection.notify_drained();
        0.0
    })
}

/// `bytesRead(id)`: so far.
fn bytes_read(context: &CallContext, [id]: [sys::napi_value; 1]) -> sys::napi_value {
    context.number_of(id, |connection| connection.traffic().0 as f64)
}

/// `bytesWritten(id)`: those that the kernel took so far.
fn bytes_written(context: &CallContext, [id]: [sys::napi_value; 1]) -> sys::napi_value {
    context.number_of(id, |connection| connection.traffic().1 as f64)
}

/// `sharedFrames(id)`: how many were sent so far that other connections got as well.
fn shared_frames(context: &CallContext, [id]: [sys::napi_value; 1]) -> sys::napi_value {
    context.number_of(id, |connection| connection.shared_frames() as f64)
}

/// `end(id)`: sends FIN after all that is queued.
fn end(context: &CallContext, [id]: [sys::napi_value; 1]) -> sys::napi_value {
    context.number_of(id, |connection| {
        let sends = context.environment().sends();
        connection.end(sends.flush_for(connection));
        sends.sent(connection);
        0.0
    })
}

/// `destroy(id, reset)`: closes now; by RST if `reset` is 1.
fn destroy(context: &CallContext, [id, reset]: [sys::napi_value; 2]) -> sys::napi_value {
    let env = context.env();
    if let Some(connection) = context.connection(id) {
        context.environment().sends().write_before(&connection);
        connection.destroy(u32_of(env, reset) != 0);
    }
    undefined(env)
}
