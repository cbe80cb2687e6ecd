//! How a copy of the JavaScript library connects.

use std::ffi::c_void;
use std::ptr;

use napi::bindgen_prelude::*;
use napi::sys;
use napi_derive::napi;

use crate::node::calls::CallContext;
use crate::node::environment::Environment;
use crate::node::raw::catch_panic::catch_panic;
use crate::node::raw::values::{check, napi_call, number, set};

/// Connects one copy of the JavaScript library with this environment's engine.
///
/// `dispatch(id, count, tiny, small, medium, large, fragments)` is called with the events of one connection: `count` records
/// of four words in `meta`, after its header word. Without `has_uv` the functions of libuv are left alone, even if
/// they can be found.
#[napi(
    catch_unwind,
    ts_args_type = "dispatch: (id: number, count: number, tiny: ArrayBuffer | undefined, small: ArrayBuffer | undefined, medium: ArrayBuffer | undefined, large: Buffer[] | undefined, fragments: Uint32Array | undefined) => void, hasUv: boolean",
    ts_return_type = "Bridge"
)]
pub fn attach(env: Env, dispatch: Unknown<'_>, has_uv: bool) -> Result<Unknown<'static>> {
    let environment = Environment::current(env.raw(), has_uv)?;
    let env = env.raw();
    // SAFETY: `env` is the running call's.
    let object = unsafe { napi_call!(napi_create_object, env)? };
    let delivery = environment.delivery();
    let bridge = delivery.add_bridge(dispatch.raw())?;
    // As long as the library holds the object, and no longer.
    set(env, object, c"dispatch", dispatch.raw())?;
    set(env, object, c"meta", bridge.records.value(env)?)?;
    set(env, object, c"inChunk", bridge.in_chunk.value(env)?)?;
    set(env, object, c"state", delivery.state()?)?;
    set(env, object, c"id", number(env, f64::from(bridge.index())))?;
    let index = ptr::without_provenance_mut(bridge.index() as usize);
    CallContext::define(&environment, bridge, object)?;
    // SAFETY: the object is a live value of this environment, and the finalizer's data is a number.
    unsafe {
        let none = ptr::null_mut();
        let collected = Some(on_collected as unsafe extern "C" fn(_, _, _));
        check(sys::napi_add_finalizer(
            env,
            object,
            index,
            collected,
            none,
            none.cast(),
        ))?;
        Unknown::from_napi_value(env, object)
    }
}

/// The object of the bridge `data` is gone: nobody can call its functions, and no id of it is in use.
unsafe extern "C" fn on_collected(_: sys::napi_env, data: *mut c_void, _: *mut c_void) {
    catch_panic(|| {
        if let Some(environment) = Environment::existing() {
            environment.forget_bridge(data.addr() as u32);
        }
    });
}
