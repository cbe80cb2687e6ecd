//! Numbers that Rust writes and JavaScript reads.

use std::ptr;

use napi::{Result, sys};

use crate::node::raw::values::{check, napi_call};

/// A Uint32Array.
pub(crate) struct Words {
    words: *mut u32,
    length: usize,
    array: sys::napi_ref,
}

impl Words {
    /// All zero.
    pub(crate) fn new(env: sys::napi_env, length: usize) -> Result<Self> {
        let mut words = ptr::null_mut();
        let mut array = ptr::null_mut();
        // SAFETY: `env` is the running call's; the strong reference keeps the words where they are.
        unsafe {
            let bytes = length * size_of::<u32>();
            let buffer = napi_call!(napi_create_arraybuffer, env, bytes, &mut words)?;
            let kind = sys::TypedarrayType::uint32_array;
            let value = napi_call!(napi_create_typedarray, env, kind, length, buffer, 0)?;
            check(sys::napi_create_reference(env, value, 1, &mut array))?;
        }
        debug_assert!(!array.is_null());
        Ok(Self {
            words: words.cast(),
            length,
            array,
        })
    }

    /// The array.
    pub(crate) fn value(&self, env: sys::napi_env) -> Result<sys::napi_value> {
        // SAFETY: `env` is the running call's, and the reference is ours.
        unsafe { napi_call!(napi_get_reference_value, env, self.array) }
    }

    /// Writes `values` from the place `at` on.
    pub(crate) fn set<const N: usize>(&self, at: usize, values: [u32; N]) {
        assert!(at + N <= self.length);
        // SAFETY: the places are inside, and JavaScript does not run meanwhile.
        unsafe { ptr::copy_nonoverlapping(values.as_ptr(), self.words.add(at), N) };
    }

    /// The first `count` of them.
    pub(crate) fn copy_of(&self, count: usize) -> Vec<u32> {
        assert!(count <= self.length);
        // SAFETY: the places are inside, and JavaScript does not run meanwhile.
        unsafe { std::slice::from_raw_parts(self.words, count) }.to_vec()
    }

    /// Writes the first of them.
    pub(crate) fn restore(&self, values: &[u32]) {
        assert!(values.len() <= self.length);
        // SAFETY: the places are inside, and JavaScript does not run meanwhile.
        unsafe { ptr::copy_nonoverlapping(values.as_ptr(), self.words, values.len()) };
    }

    /// Lets go of the array: nobody writes any more.
    pub(crate) fn release(&self, env: sys::napi_env) {
        // SAFETY: the reference is ours.
        unsafe { sys::napi_delete_reference(env, self.array) };
    }
}
