//! permessage-deflate without an endpoint, for the exported `PerMessageDeflate`.

use std::sync::{Arc, Mutex, Weak};

use napi::bindgen_prelude::*;
use napi_derive::napi;

use crate::engine::sync::lock;
use crate::engine::{self, Effort, Outcome};
use crate::node::environment::bridge_of;
use crate::node::raw::values::{append_string, bytes_of, is_string};
use crate::protocol::deflate::{self, DeflateParams, InflateParams};

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

/// A context, unless a task has it.
struct Context<T>(Option<Arc<Mutex<Option<T>>>>);

impl<T: Send + 'static> Context<T> {
    fn new(context: T) -> Self {
        Self(Some(Arc::new(Mutex::new(Some(context)))))
    }

    /// Takes the context out.
    fn take(&self) -> Option<(T, Return<T>)> {
        let place = self.0.as_ref()?;
        let context = lock(place).take()?;
        Some((context, Return(Arc::downgrade(place))))
    }
}

/// Where a context goes back to. Once that is gone, so is the context.
struct Return<T>(Weak<Mutex<Option<T>>>);

impl<T> Return<T> {
    fn put(&self, context: T) {
        if let Some(place) = self.0.upgrade() {
            *lock(&place) = Some(context);
        }
    }
}

/// Runs `work` with the context as a task of `bridge`, and returns its id.
fn run<T: Send + 'static>(
    context: &Context<T>,
    bridge: u32,
    effort: Effort,
    work: impl FnOnce(&mut T) -> Outcome + Send + 'static,
) -> Result<u32> {
    let bridge = bridge_of(bridge)?;
    let (mut context, place) = context.take().ok_or_else(is_busy)?;
    Ok(bridge.run_task(effort, move || {
        let outcome = work(&mut context);
        place.put(context);
        outcome
    }))
}

fn is_busy() -> Error {
    Error::from_reason("The context is in use")
}

/// Bounds how many messages this process compresses and inflates at once, of those that take long. The first call
/// counts.
#[napi(catch_unwind)]
pub fn limit_jobs(limit: u32) {
    engine::limit_jobs(limit as usize);
}

/// Compresses messages, one at a time.
#[napi]
pub struct Deflater {
    context: Context<deflate::Deflater>,
}

#[napi]
impl Deflater {
    /// A compressor at the start of a connection.
    #[napi(constructor, catch_unwind)]
    pub fn new(options: DeflateOptions) -> Self {
        let context = deflate::Deflater::new(options.into());
        Self {
            context: Context::new(context),
        }
    }

    /// Starts a task of `bridge` for the compressed form of a message, or of a fragment of one; `fin` with its last
    /// fragment. Returns its id.
    #[napi(
        catch_unwind,
        ts_args_type = "bridge: number, data: string | Uint8Array, fin: boolean"
    )]
    pub fn start(&self, env: Env, bridge: u32, data: Unknown<'_>, fin: bool) -> Result<u32> {
        let payload = payload(env, &data)?;
        let effort = Effort::of(payload.len());
        run(&self.context, bridge, effort, move |context| {
            let mut output = Vec::new();
            context.compress(&payload, fin, &mut output);
            Ok(output)
        })
    }

    /// Gives the memory back, at the latest when the task that uses it is over.
    #[napi(catch_unwind)]
    pub fn free(&mut self) {
        self.context = Context(None);
    }
}

/// Inflates messages, one at a time.
#[napi]
pub struct Inflater {
    context: Context<deflate::Inflater>,
}

#[napi]
impl Inflater {
    /// A decompressor at the start of a connection.
    #[napi(constructor, catch_unwind)]
    pub fn new(options: InflateOptions) -> Self {
        let context = deflate::Inflater::new(options.into());
        Self {
            context: Context::new(context),
        }
    }

    /// Starts a task of `bridge` for what a message, or a fragment of one, inflates to; `fin` with its last fragment. At
    /// most `max_length` bytes, 0 for no limit. After a failure the inflater is spent.
    #[napi(
        catch_unwind,
        ts_args_type = "bridge: number, data: Uint8Array, fin: boolean, maxLength: number"
    )]
    pub fn start(
        &self,
        env: Env,
        bridge: u32,
        data: Unknown<'_>,
        fin: bool,
        max_length: f64,
    ) -> Result<u32> {
        let payload = payload(env, &data)?;
        run(&self.context, bridge, Effort::Large, move |context| {
            let mut output = Vec::new();
            context.inflate(&payload, fin, max_length as u64, &mut output)?;
            Ok(output)
        })
    }

    /// Gives the memory back, at the latest when the task that uses it is over.
    #[napi(catch_unwind)]
    pub fn free(&mut self) {
        self.context = Context(None);
    }
}

/// A copy of the bytes of a string or byte array: they stay JavaScript's to change.
fn payload(env: Env, data: &Unknown<'_>) -> Result<Vec<u8>> {
    let mut payload = Vec::new();
    if is_string(env.raw(), data.raw()) {
        append_string(env.raw(), data.raw(), &mut payload);
    } else if let Some(bytes) = unsafe {
        // SAFETY: no JavaScript runs before the bytes are copied.
        bytes_of(env.raw(), data.raw())
    } {
        payload.extend_from_slice(bytes);
    } else {
        let reason = "Expected a string or a Uint8Array";
        return Err(Error::new(Status::InvalidArg, reason));
    }
    Ok(payload)
}
