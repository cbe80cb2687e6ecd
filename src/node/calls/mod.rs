//! The raw functions of a bridge object: what JavaScript calls for every message and connection. Whatever only some
//! connections need is a method of [`ConnectionHandle`](super::exports::connection::ConnectionHandle).
//!
//! Each function is safe Rust that takes its [`CallContext`] and the arguments; `entry!` makes of it what N-API calls.

pub(crate) mod config;
mod connection;
mod context;
mod endpoint;
mod extra;
mod hub;
mod tick;
mod tls;
mod topics;

use std::borrow::Cow;
use std::cell::RefCell;
use std::ffi::CStr;
use std::rc::Rc;
use std::sync::Arc;

use napi::{Result, sys};

use super::bridge::Bridge;
use super::environment::Environment;
use super::raw::values::{
    Entry, append_string, arguments, bytes_of, define, is_string, number, throw_no_bytes, u32_of,
};
use crate::engine::{Batch, Connection};

/// Functions by the names that JavaScript calls them by.
type Entries = &'static [(&'static CStr, Entry)];

/// What the functions of one bridge object share.
pub(crate) struct CallContext {
    /// It keeps this.
    environment: *const Environment,
    bridge: Rc<Bridge>,
    /// Where strings are read to on their way out.
    text: RefCell<Vec<u8>>,
    /// The events of stream endpoints, while they are not delivered.
    batch: RefCell<Batch>,
    /// What Node read and wrote sessions with that are ours now.
    bios: tls::Bios,
    /// Frames that take long to make.
    pending_frames: RefCell<extra::PendingFrames>,
    /// What connections are subscribed to.
    topics: topics::Registry,
}

impl CallContext {
    /// Defines all functions on `object`, for as long as JavaScript runs.
    pub(crate) fn define(
        environment: &Rc<Environment>,
        bridge: Rc<Bridge>,
        object: sys::napi_value,
    ) -> Result<()> {
        let env = bridge.env();
        let context = environment.keep(Self {
            environment: Rc::as_ptr(environment),
            bridge,
            text: RefCell::default(),
            batch: RefCell::default(),
            bios: tls::Bios::default(),
            pending_frames: RefCell::default(),
            topics: topics::Registry::default(),
        });
        for (name, entry) in [
            connection::ENTRIES,
            context::ENTRIES,
            endpoint::ENTRIES,
            extra::ENTRIES,
            hub::ENTRIES,
            tick::ENTRIES,
            tls::ENTRIES,
            topics::ENTRIES,
        ]
        .into_iter()
        .flatten()
        {
            // SAFETY: the environment keeps the context until no JavaScript runs any more.
            unsafe { define(env, object, name, *entry, context.cast_mut().cast())? };
        }
        Ok(())
    }

    fn env(&self) -> sys::napi_env {
        self.bridge.env()
    }

    fn environment(&self) -> &Environment {
        // SAFETY: the environment keeps this context, so it is still there.
        unsafe { &*self.environment }
    }

    /// The connection with the id `id`.
    fn connection(&self, id: sys::napi_value) -> Option<Arc<Connection>> {
        self.bridge.connection(u32_of(self.env(), id))
    }

    /// A number of the connection with the id `id`; 0 if there is none.
    fn number_of(
        &self,
        id: sys::napi_value,
        ask: impl FnOnce(&Arc<Connection>) -> f64,
    ) -> sys::napi_value {
        let connection = self.connection(id);
        number(self.env(), connection.as_ref().map_or(0.0, ask))
    }

    /// Gives `work` the bytes of a string or byte array; throws if the value is neither. A long string's are its own. No
    /// JavaScript may run in `work`.
    fn with_payload(&self, value: sys::napi_value, work: impl FnOnce(Cow<'_, [u8]>)) {
        let env = self.env();
        // SAFETY: the bytes are used in `work` only, where no JavaScript runs.
        if let Some(bytes) = unsafe { bytes_of(env, value) } {
            work(Cow::Borrowed(bytes));
        } else if is_string(env, value) {
            /// A scratch buffer above this is not kept.
            const KEPT: usize = 64 * 1024;
            let mut text = self.text.take();
            text.clear();
            append_string(env, value, &mut text);
            if text.len() > KEPT {
                work(Cow::Owned(text));
            } else {
                work(Cow::Borrowed(&text));
                self.text.replace(text);
            }
        } else {
            throw_no_bytes(env);
        }
    }
}

/// The context and the arguments of a call.
///
/// # Safety
/// Called once with what N-API called a function with that [`CallContext::define`] has defined. The context may be used
/// until that function returns.
unsafe fn receive<'a, const N: usize>(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> (&'a CallContext, [sys::napi_value; N]) {
    // SAFETY: the caller's promise; the data of these functions is their context.
    unsafe {
        let (values, data) = arguments::<N>(env, info);
        (&*data.cast::<CallContext>(), values)
    }
}

/// What N-API calls for a function of a [`CallContext`] and arguments; `undefined` if that panics.
macro_rules! entry {
    ($function:ident) => {{
        unsafe extern "C" fn entry(
            env: napi::sys::napi_env,
            info: napi::sys::napi_callback_info,
        ) -> napi::sys::napi_value {
            // SAFETY: N-API calls with the arguments of a running call, and only `CallContext::define` hands this out.
            let (context, arguments) = unsafe { $crate::node::calls::receive(env, info) };
            $crate::node::raw::catch_panic::catch_panic(|| $function(context, arguments))
                .unwrap_or_else(|| $crate::node::raw::values::undefined(env))
        }
        entry
    }};
}
use entry;
