//! JavaScript values by raw calls.

use std::ffi::{CStr, c_char, c_void};
use std::mem::MaybeUninit;
use std::ptr;

use napi::sys;
use napi::{Error, Result, Status};

/// Fails unless a raw call succeeded.
pub(crate) fn check(status: sys::napi_status) -> Result<()> {
    if status == sys::Status::napi_ok {
        Ok(())
    } else {
        Err(Error::from_status(Status::from(status)))
    }
}

/// Calls a raw function that returns a value through its last argument.
macro_rules! napi_call {
    ($function:ident, $($argument:expr),+) => {{
        let mut value = std::ptr::null_mut();
        $crate::node::raw::values::check(napi::sys::$function($($argument),+, &mut value)).map(|()| value)
    }};
}
pub(crate) use napi_call;

/// A raw entry point.
pub(crate) type Entry =
    unsafe extern "C" fn(sys::napi_env, sys::napi_callback_info) -> sys::napi_value;

/// `undefined`.
pub(crate) fn undefined(env: sys::napi_env) -> sys::napi_value {
    // SAFETY: `env` is the environment of the running call.
    unsafe { napi_call!(napi_get_undefined, env) }.unwrap_or(ptr::null_mut())
}

/// A number.
pub(crate) fn number(env: sys::napi_env, value: f64) -> sys::napi_value {
    // SAFETY: `env` is the environment of the running call.
    unsafe { napi_call!(napi_create_double, env, value) }.unwrap_or(ptr::null_mut())
}

/// Sets `object[name]` to a function that gets `data`.
///
/// # Safety
/// `data` outlives the environment's JavaScript, or `entry` does not follow it.
pub(crate) unsafe fn define(
    env: sys::napi_env,
    object: sys::napi_value,
    name: &CStr,
    entry: Entry,
    data: *mut c_void,
) -> Result<()> {
    let length = name.count_bytes() as isize;
    // SAFETY: `object` is live, `name` is `length` bytes long; `data` is the caller's promise.
    unsafe {
        let function = napi_call!(
            napi_create_function,
            env,
            name.as_ptr(),
            length,
            Some(entry),
            data
        )?;
        set(env, object, name, function)
    }
}

/// Sets `object[name]`.
pub(crate) fn set(
    env: sys::napi_env,
    object: sys::napi_value,
    name: &CStr,
    value: sys::napi_value,
) -> Result<()> {
    // SAFETY: both values are live in this environment.
    check(unsafe {
        sys::napi_set_named_property(env, object, name.as_ptr().cast::<c_char>(), value)
    })
}

/// A resource of `async_hooks` with a `hasRef()` like that of Node's own: it keeps no event loop alive. Test runners ask
/// for that, and report a resource that does not say so.
pub(crate) fn make_resource(env: sys::napi_env) -> Result<sys::napi_value> {
    // SAFETY: `env` is the running call's; the entry has no data.
    unsafe {
        let resource = napi_call!(napi_create_object, env)?;
        define(env, resource, c"hasRef", has_ref, ptr::null_mut())?;
        Ok(resource)
    }
}

unsafe extern "C" fn has_ref(
    env: sys::napi_env,
    _info: sys::napi_callback_info,
) -> sys::napi_value {
    // SAFETY: `env` is the environment of the running call.
    unsafe { napi_call!(napi_get_boolean, env, false) }.unwrap_or(ptr::null_mut())
}

/// The arguments of a raw call, `undefined` where missing, and its data.
///
/// # Safety
/// Called with what the entry got, once.
pub(crate) unsafe fn arguments<const N: usize>(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> ([sys::napi_value; N], *mut c_void) {
    let mut count = N;
    let mut values = [ptr::null_mut(); N];
    let mut data = ptr::null_mut();
    // SAFETY: `values` has room for `count`.
    unsafe {
        sys::napi_get_cb_info(
            env,
            info,
            &mut count,
            values.as_mut_ptr(),
            ptr::null_mut(),
            &mut data,
        );
    }
    (values, data)
}

/// A number as u32; 0 for anything else.
pub(crate) fn u32_of(env: sys::napi_env, value: sys::napi_value) -> u32 {
    let mut number = 0;
    // SAFETY: `value` is live; a wrong type leaves `number` as it is.
    unsafe { sys::napi_get_value_uint32(env, value, &mut number) };
    number
}

/// Where the bytes of a Buffer or Uint8Array are, until JavaScript runs again, and how many; `None` for anything else.
///
/// `napi_get_buffer_info` is not for values that may be something else: before Node.js 20.12 it ends the process then.
pub(crate) fn memory_of(
    env: sys::napi_env,
    value: sys::napi_value,
) -> Option<(ptr::NonNull<u8>, usize)> {
    let mut kind = 0;
    let mut length = 0;
    let mut data = ptr::null_mut();
    // SAFETY: `value` is live; null stands for what is not asked for.
    let status = unsafe {
        sys::napi_get_typedarray_info(
            env,
            value,
            &mut kind,
            &mut length,
            &mut data,
            ptr::null_mut(),
            ptr::null_mut(),
        )
    };
    if status != sys::Status::napi_ok || kind != sys::TypedarrayType::uint8_array {
        return None;
    }
    // An empty array may have no memory.
    let data = ptr::NonNull::new(data.cast()).unwrap_or(ptr::NonNull::dangling());
    Some((data, length))
}

/// The bytes of a Buffer or Uint8Array; `None` for anything else.
///
/// # Safety
/// The slice is valid until JavaScript runs again, and nothing else may access the memory meanwhile.
pub(crate) unsafe fn bytes_of<'a>(
    env: sys::napi_env,
    value: sys::napi_value,
) -> Option<&'a mut [u8]> {
    let (data, length) = memory_of(env, value)?;
    // SAFETY: N-API says that there are `length` bytes; the rest is the caller's promise.
    Some(unsafe { std::slice::from_raw_parts_mut(data.as_ptr(), length) })
}

/// Throws a TypeError: what was to be sent or read is neither a string nor bytes.
pub(crate) fn throw_no_bytes(env: sys::napi_env) {
    let text = c"Expected a string or a Uint8Array";
    // SAFETY: `env` is the running call's; the text ends with a NUL.
    unsafe { sys::napi_throw_type_error(env, ptr::null(), text.as_ptr()) };
}

/// Whether the value is a string.
pub(crate) fn is_string(env: sys::napi_env, value: sys::napi_value) -> bool {
    let mut kind = 0;
    // SAFETY: `value` is live.
    unsafe { sys::napi_typeof(env, value, &mut kind) };
    kind == sys::ValueType::napi_string
}

/// Appends a string's UTF-8 to `out`; lone surrogates become U+FFFD, as `Buffer.from` does it.
pub(crate) fn append_string(env: sys::napi_env, value: sys::napi_value, out: &mut Vec<u8>) {
    const GUESS: usize = 1024;
    let start = out.len();
    if let Some(read) = read_string(env, value, out, GUESS)
        && read + 4 < GUESS
    {
        return;
    }
    out.truncate(start);
    let mut length = 0;
    // SAFETY: a null buffer asks for the length only.
    unsafe { sys::napi_get_value_string_utf8(env, value, ptr::null_mut(), 0, &mut length) };
    read_string(env, value, out, length + 1);
}

/// Appends at most `room - 1` bytes of a string, which N-API ends with a NUL after them. Returns how many.
fn read_string(
    env: sys::napi_env,
    value: sys::napi_value,
    out: &mut Vec<u8>,
    room: usize,
) -> Option<usize> {
    out.reserve_exact(room);
    prefer_huge_pages(out.spare_capacity_mut());
    let mut read = 0;
    // SAFETY: `out` has `room` bytes after its last one, and `read` of them are written if the call succeeds.
    unsafe {
        let to = out.as_mut_ptr().add(out.len()).cast();
        let status = sys::napi_get_value_string_utf8(env, value, to, room, &mut read);
        if status != sys::Status::napi_ok {
            return None;
        }
        out.set_len(out.len() + read);
    }
    Some(read)
}

/// Has memory that is not in use yet come in few huge pages: to get 16 MiB in small ones takes longer than to fill them.
fn prefer_huge_pages(memory: &mut [MaybeUninit<u8>]) {
    #[cfg(target_os = "linux")]
    {
        /// Of most systems; with another it is in vain.
        const HUGE: usize = 2 * 1024 * 1024;
        let start = memory.as_ptr().align_offset(HUGE);
        let length = memory.len().saturating_sub(start) / HUGE * HUGE;
        if length > 0 {
            // SAFETY: the range lies within the memory; the advice changes nothing of what is there.
            unsafe {
                libc::madvise(
                    memory[start..].as_mut_ptr().cast(),
                    length,
                    libc::MADV_HUGEPAGE,
                );
            }
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = memory;
}

/// A Buffer with a copy of `bytes`.
pub(crate) fn buffer(env: sys::napi_env, bytes: &[u8]) -> Result<sys::napi_value> {
    let mut data = ptr::null_mut();
    // SAFETY: `env` is this thread's, inside a handle scope; the new buffer has room for the bytes.
    unsafe {
        let buffer = napi_call!(napi_create_buffer, env, bytes.len(), &mut data)?;
        ptr::copy_nonoverlapping(bytes.as_ptr(), data.cast::<u8>(), bytes.len());
        Ok(buffer)
    }
}

/// An array of strings, which are UTF-8.
pub(crate) fn strings(env: sys::napi_env, texts: &[Vec<u8>]) -> Result<sys::napi_value> {
    // SAFETY: `env` is this thread's, inside a handle scope; each text has its length.
    unsafe {
        let array = napi_call!(napi_create_array_with_length, env, texts.len())?;
        for (text, index) in texts.iter().zip(0..) {
            let (data, length) = (text.as_ptr().cast::<c_char>(), text.len() as isize);
            let value = napi_call!(napi_create_string_utf8, env, data, length)?;
            check(sys::napi_set_element(env, array, index, value))?;
        }
        Ok(array)
    }
}

/// The elements of an array; none of anything else.
pub(crate) fn elements(env: sys::napi_env, array: sys::napi_value) -> Vec<sys::napi_value> {
    let mut length = 0;
    // SAFETY: `array` is live; a wrong type leaves `length` as it is.
    unsafe { sys::napi_get_array_length(env, array, &mut length) };
    let element = |index| {
        // SAFETY: `array` is live; what is no array has no elements that are asked for.
        let value = unsafe { napi_call!(napi_get_element, env, array, index) };
        value.unwrap_or(ptr::null_mut())
    };
    (0..length).map(element).collect()
}
