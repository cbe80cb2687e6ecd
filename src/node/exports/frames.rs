//! Parts of frames, for a `Sender` that writes to a stream of any kind.
//!
//! They are called for every message, so they are raw functions like those of a bridge. `#[napi]` does not see them:
//! `raw.d.ts` declares them.

use std::ffi::CStr;
use std::{ptr, slice};

use napi::bindgen_prelude::*;
use napi::sys;
use napi_derive::napi;

use crate::node::raw::catch_panic::catch_panic;
use crate::node::raw::values::{Entry, arguments, buffer, check, define, memory_of, napi_call};
use crate::protocol::{FrameFlags, frame, mask};

const ENTRIES: &[(&CStr, Entry)] = &[
    (c"encodeHeader", encode_header),
    (c"mask", mask),
    (c"randomKey", random_key),
];

/// Adds the functions of this file to the addon's exports.
#[napi(module_exports)]
pub fn export_frame_functions(exports: Object<'_>, env: Env) -> Result<()> {
    for (name, entry) in ENTRIES {
        // SAFETY: the entries do not follow their data.
        unsafe { define(env.raw(), exports.raw(), name, *entry, ptr::null_mut())? };
    }
    Ok(())
}

/// Runs `work` with the arguments. An error of it is thrown, and so is a panic.
///
/// # Safety
/// Called with what an entry of [`ENTRIES`] got.
unsafe fn with_arguments<const N: usize>(
    env: sys::napi_env,
    info: sys::napi_callback_info,
    work: impl FnOnce([sys::napi_value; N]) -> Result<sys::napi_value>,
) -> sys::napi_value {
    // SAFETY: the caller's promise.
    let (values, _) = unsafe { arguments::<N>(env, info) };
    catch_panic(|| work(values))
        .unwrap_or_else(|| Err(Error::from_reason("The addon panicked")))
        .unwrap_or_else(|error| {
            // SAFETY: `env` is the running call's.
            unsafe { JsError::from(error).throw_into(env) };
            ptr::null_mut()
        })
}

/// `encodeHeader(byteLength, flags, key)`: the header of a frame. The key is in it if the flags ask for masking.
unsafe extern "C" fn encode_header(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    // SAFETY: N-API calls this once for a running call, with its environment and arguments.
    unsafe {
        with_arguments(env, info, |[length, flags, key]| {
            let flags = FrameFlags::from(word_of(env, flags)?);
            let key = word_of(env, key)?.to_le_bytes();
            let (header, end) = frame::encode_header(flags, length_of(env, length)?, key);
            buffer(env, &header[..end])
        })
    }
}

/// `mask(source, key, target, offset)`: puts the bytes of `source`, masked, into `target` at `offset`. They may be in
/// the same memory.
unsafe extern "C" fn mask(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: N-API calls this once for a running call; no JavaScript runs while it uses the memory.
    unsafe {
        with_arguments(env, info, |[source, key, target, offset]| {
            let source = Memory::of(env, source)?;
            let target = Memory::of(env, target)?;
            let key = word_of(env, key)?.to_le_bytes();
            let offset = length_of(env, offset)?;
            mask::apply(key, 0, target.put(offset, &source)?);
            Ok(ptr::null_mut())
        })
    }
}

/// `randomKey()`: a masking key.
unsafe extern "C" fn random_key(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    // SAFETY: N-API calls this once for a running call, with its environment and arguments.
    unsafe {
        with_arguments(env, info, |[]| {
            let key = u32::from_le_bytes(mask::random_key());
            napi_call!(napi_create_uint32, env, key)
        })
    }
}

/// What a Uint8Array is a view of, until JavaScript runs again. Pointers, for two of them may overlap.
struct Memory {
    data: *mut u8,
    length: usize,
}

impl Memory {
    fn of(env: sys::napi_env, value: sys::napi_value) -> Result<Self> {
        let (data, length) =
            memory_of(env, value).ok_or_else(|| invalid("Expected a Uint8Array"))?;
        Ok(Self {
            data: data.as_ptr(),
            length,
        })
    }

    /// Copies `source` to `offset` and returns the copy.
    ///
    /// # Safety
    /// No JavaScript runs and nothing else touches the memory while the copy is in use.
    unsafe fn put<'a>(self, offset: u64, source: &Self) -> Result<&'a mut [u8]> {
        if offset.saturating_add(source.length as u64) > self.length as u64 {
            return Err(invalid("The target is too short"));
        }
        // SAFETY: the copy lies inside this memory, as just checked; `ptr::copy` takes overlapping memory, and there is
        // no reference before it is done. The rest is the caller's promise.
        unsafe {
            let to = self.data.add(offset as usize);
            ptr::copy(source.data, to, source.length);
            Ok(slice::from_raw_parts_mut(to, source.length))
        }
    }
}

/// A number of 32 bits, whatever their sign.
fn word_of(env: sys::napi_env, value: sys::napi_value) -> Result<u32> {
    let mut word = 0;
    // SAFETY: `value` is live.
    check(unsafe { sys::napi_get_value_uint32(env, value, &mut word) })
        .map_err(|_| invalid("Expected a number"))?;
    Ok(word)
}

/// A length or an offset: a whole number up to 2^53 - 1.
fn length_of(env: sys::napi_env, value: sys::napi_value) -> Result<u64> {
    const MAX_SAFE_INTEGER: f64 = ((1u64 << 53) - 1) as f64;
    let mut number = f64::NAN;
    // SAFETY: `value` is live; a wrong type leaves `number` as it is.
    unsafe { sys::napi_get_value_double(env, value, &mut number) };
    if number.fract() == 0.0 && (0.0..=MAX_SAFE_INTEGER).contains(&number) {
        Ok(number as u64)
    } else {
        Err(invalid("Expected a length"))
    }
}

fn invalid(reason: &str) -> Error {
    Error::new(Status::InvalidArg, reason)
}
