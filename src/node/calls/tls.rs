//! The calls of connections whose TLS session Node made.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ptr;

use napi::sys;

use super::connection::duplicate;
use super::{CallContext, Entries, entry};
use crate::engine::tls::{FormerBios, FoundSession, watch_sessions};
use crate::engine::{Opening, Taking};
use crate::node::raw::errno::errno;
use crate::node::raw::values::{bytes_of, napi_call, number, u32_of, undefined};

pub(super) const ENTRIES: Entries = &[
    (c"watchSessions", entry!(watch)),
    (c"adoptTls", entry!(adopt)),
    (c"takeSession", entry!(take_session)),
    (c"withLock", entry!(with_lock)),
    (c"freeBuffersOfBios", entry!(free_buffers)),
    (c"dropBios", entry!(drop_bios)),
];

/// What was Node's, by number, as long as it may look at them: the environment's end at the latest.
#[derive(Default)]
pub(super) struct Bios {
    kept: RefCell<HashMap<u32, FormerBios>>,
    last: Cell<u32>,
}

impl Bios {
    /// Keeps some; returns their number, from 1 on.
    fn keep(&self, bios: FormerBios) -> f64 {
        let number = self.last.get().checked_add(1).unwrap_or(1);
        self.last.set(number);
        self.kept.borrow_mut().insert(number, bios);
        f64::from(number)
    }

    /// Node does nothing with them just now.
    fn free_buffers(&self, number: u32) {
        if let Some(bios) = self.kept.borrow().get(&number) {
            bios.free_buffers();
        }
    }

    /// Node looks at them no more.
    fn drop(&self, number: u32) {
        let bios = self.kept.borrow_mut().remove(&number);
        drop(bios);
    }
}

/// `ENOENT`: the session is not to be found.
const NOT_FOUND: f64 = -2.0;

/// `watchSessions()`: notes what sessions are made from here on. Answers with 1 if that works here.
fn watch(context: &CallContext, []: [sys::napi_value; 0]) -> sys::napi_value {
    number(context.env(), f64::from(u8::from(watch_sessions())))
}

/// `adoptTls(fd, isTcp, finished, sent)`: as `adopt()`, with the TLS session on it whose handshake we ended with `finished`.
/// Nothing is read or written before `takeSession()`; `sent` as there.
fn adopt(
    context: &CallContext,
    [fd, is_tcp, finished, sent]: [sys::napi_value; 4],
) -> sys::napi_value {
    let env = context.env();
    // SAFETY: no JavaScript runs before the bytes are done with.
    let finished = unsafe { bytes_of(env, finished) };
    let Some(mut session) = finished.and_then(|finished| FoundSession::find(finished)) else {
        return number(env, NOT_FOUND);
    };
    // SAFETY: JavaScript passes the descriptor of an open handle, which it closes when the session is taken.
    let stream = unsafe { duplicate(context, u32_of(env, fd), u32_of(env, is_tcp) != 0) };
    let answer = match stream {
        Ok(stream) => {
            if let Some(sent) = count_of(context, sent) {
                session.take_unsent(sent);
            }
            let stream = stream.with_session(session);
            context
                .bridge
                .start_connection(stream, Opening::Adopted)
                .into()
        }
        Err(error) => f64::from(errno(&error)),
    };
    number(env, answer)
}

/// `takeSession(id, early, sent)`: Node is done with the session of the connection `id`, and has read `early` of it. `sent`
/// is how many bytes it has given to the kernel, -1 if that is not known. Answers with a number for `dropBios()`, 0 if
/// Node's records are still on their way, -1 if the connection is closed.
fn take_session(context: &CallContext, [id, early, sent]: [sys::napi_value; 3]) -> sys::napi_value {
    let env = context.env();
    let sent = count_of(context, sent);
    // SAFETY: no JavaScript runs before the bytes are done with.
    let early = unsafe { bytes_of(env, early) };
    let early = early.as_deref().unwrap_or_default();
    let taking = match context.connection(id) {
        Some(connection) => connection.take_session(early, sent),
        None => Taking::Gone,
    };
    let answer = match taking {
        Taking::Taken(bios) => context.bios.keep(bios),
        Taking::NotYet => 0.0,
        Taking::Gone => -1.0,
    };
    number(env, answer)
}

/// A count of bytes, -1 if it is not known.
fn count_of(context: &CallContext, value: sys::napi_value) -> Option<u64> {
    let mut count = -1.0;
    // SAFETY: the value is live; a wrong type leaves the number as it is.
    unsafe { sys::napi_get_value_double(context.env(), value, &mut count) };
    (count >= 0.0).then_some(count as u64)
}

/// `withLock(id, ask)`: what `ask()` returns, called under the lock of the connection `id`: nobody reads or writes it meanwhile. It must call nothing but
/// what asks the session.
fn with_lock(context: &CallContext, [id, ask]: [sys::napi_value; 2]) -> sys::napi_value {
    let env = context.env();
    let this = undefined(env);
    // SAFETY: the values are arguments of the running call; what the function throws is thrown when that returns.
    let call = || unsafe { napi_call!(napi_call_function, env, this, ask, 0, ptr::null()) };
    let result = match context.connection(id) {
        Some(connection) => connection.with_lock(call),
        None => call(),
    };
    result.unwrap_or(ptr::null_mut())
}

/// `freeBuffersOfBios(number)`: Node is in no call of the session that was taken.
fn free_buffers(context: &CallContext, [kept]: [sys::napi_value; 1]) -> sys::napi_value {
    let env = context.env();
    context.bios.free_buffers(u32_of(env, kept));
    undefined(env)
}

/// `dropBios(number)`: the `TLSWrap` of a session that was taken is destroyed.
fn drop_bios(context: &CallContext, [kept]: [sys::napi_value; 1]) -> sys::napi_value {
    let env = context.env();
    context.bios.drop(u32_of(env, kept));
    undefined(env)
}
