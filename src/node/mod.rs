//! The N-API half of the bridge; `lib/native/bridge.js` is the JavaScript half. Nothing else in the crate knows napi.
//!
//! Cold calls are `#[napi]` functions and classes. The calls of every message and connection are raw N-API functions over
//! numbers, strings and byte arrays: an order of magnitude cheaper.

mod bridge;
mod calls;
mod driver;
mod environment;
mod exports;
mod raw;

use napi::bindgen_prelude::*;
use napi_derive::napi;

use bridge::Bridge;
use environment::Environment;

/// Connects one copy of the JavaScript library with this environment's engine.
///
/// `dispatch(id, count, tiny, small, medium, large, fragments)` is called with the events of one connection: `count` records
/// of four words in `meta`, behind its four header words. Without `has_uv` the functions of libuv are left alone, even if
/// they can be found.
#[napi(
    catch_unwind,
    ts_args_type = "dispatch: (id: number, count: number, tiny: ArrayBuffer | undefined, small: ArrayBuffer | undefined, medium: ArrayBuffer | undefined, large: Buffer[] | undefined, fragments: Uint32Array | undefined) => void, hasUv: boolean",
    ts_return_type = "Bridge"
)]
pub fn attach(env: Env, dispatch: Unknown<'_>, has_uv: bool) -> napi::Result<Unknown<'static>> {
    let environment = Environment::current(env.raw(), has_uv)?;
    let object = Bridge::attach(&environment, dispatch.raw())?;
    // SAFETY: `object` is a live value of this environment, made in this call.
    unsafe { Unknown::from_napi_value(env.raw(), object) }
}
