//! Memory that payloads are handed to JavaScript in.
//!
//! A view on a shared ArrayBuffer costs a fraction of a Buffer of its own, and keeps all of it alive. So there are two:
//! a message kept for ever pins at most 4 KiB if it is small, and 64 KiB otherwise, what `ws` pins for any.
//!
//! `lib/bridge.js` marks them as untransferable. Whoever takes one away by other means (`ArrayBuffer.prototype.transfer`)
//! takes it with all messages in it, and nothing is written to it any more.

use std::cell::Cell;
use std::ptr;

use napi::{Result, sys};

use super::values::{check, made};

/// Longest payload in the small slab.
const SMALL: usize = 512;
const SMALL_SLAB: usize = 4 * 1024;
/// Longest payload in the medium slab. Longer ones get a Buffer of their own.
const MEDIUM: usize = 16 * 1024;
const MEDIUM_SLAB: usize = 64 * 1024;

/// Which slab a payload goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    Small,
    Medium,
    Large,
}

impl Size {
    /// By the payload's length.
    pub(super) fn of(length: usize) -> Self {
        match length {
            0..=SMALL => Self::Small,
            _ if length <= MEDIUM => Self::Medium,
            _ => Self::Large,
        }
    }
}

struct Slab {
    size: usize,
    used: Cell<usize>,
    data: Cell<*mut u8>,
    reference: Cell<sys::napi_ref>,
}

impl Slab {
    fn new(size: usize) -> Self {
        Self {
            size,
            used: Cell::new(size),
            data: Cell::new(ptr::null_mut()),
            reference: Cell::new(ptr::null_mut()),
        }
    }

    fn has_room(&self, length: usize) -> bool {
        self.size - self.used.get() >= length
    }

    /// A new ArrayBuffer; the old one lives as long as its views.
    fn renew(&self, env: sys::napi_env) -> Result<sys::napi_value> {
        let mut data = ptr::null_mut();
        let mut reference = ptr::null_mut();
        // SAFETY: `env` is the environment of this thread, inside a handle scope; the reference is ours.
        let buffer = unsafe {
            let buffer = made!(napi_create_arraybuffer, env, self.size, &mut data)?;
            self.release(env);
            check(sys::napi_create_reference(env, buffer, 1, &mut reference))?;
            buffer
        };
        self.reference.set(reference);
        self.data.set(data.cast());
        self.used.set(0);
        Ok(buffer)
    }

    /// The environment ends.
    fn release(&self, env: sys::napi_env) {
        let reference = self.reference.replace(ptr::null_mut());
        if !reference.is_null() {
            // SAFETY: the reference is ours.
            unsafe { sys::napi_delete_reference(env, reference) };
        }
    }

    fn put(&self, bytes: &[u8]) -> u32 {
        let offset = self.used.get();
        debug_assert!(self.has_room(bytes.len()));
        // SAFETY: there is room, and nobody else writes behind `used`: views end there.
        unsafe {
            ptr::copy_nonoverlapping(bytes.as_ptr(), self.data.get().add(offset), bytes.len());
        }
        // Eight-byte steps, so that typed arrays can be laid over a payload.
        self.used
            .set((offset + bytes.len()).next_multiple_of(8).min(self.size));
        offset as u32
    }

    /// The ArrayBuffer, unless there is none or it was taken away.
    fn value(&self, env: sys::napi_env) -> Result<Option<sys::napi_value>> {
        if self.data.get().is_null() {
            return Ok(None);
        }
        let mut is_detached = false;
        // SAFETY: the reference is ours and strong.
        unsafe {
            let value = made!(napi_get_reference_value, env, self.reference.get())?;
            check(sys::napi_is_detached_arraybuffer(
                env,
                value,
                &mut is_detached,
            ))?;
            Ok((!is_detached).then_some(value))
        }
    }

    fn with_room(&self, env: sys::napi_env, length: usize) -> Result<sys::napi_value> {
        match self.value(env)? {
            Some(value) if self.has_room(length) => Ok(value),
            _ => self.renew(env),
        }
    }
}

/// The two slabs of an environment.
pub(super) struct Slabs {
    small: Slab,
    medium: Slab,
}

impl Default for Slabs {
    fn default() -> Self {
        Self {
            small: Slab::new(SMALL_SLAB),
            medium: Slab::new(MEDIUM_SLAB),
        }
    }
}

impl Slabs {
    fn slab(&self, size: Size) -> &Slab {
        match size {
            Size::Small => &self.small,
            Size::Medium | Size::Large => &self.medium,
        }
    }

    /// Whether a payload of `length` bytes fits into its slab.
    pub(super) fn has_room(&self, size: Size, length: usize) -> bool {
        self.slab(size).has_room(length)
    }

    /// The ArrayBuffer of the slab of this size, which has room for a payload: a new one if need be.
    pub(super) fn with_room(
        &self,
        env: sys::napi_env,
        size: Size,
        length: usize,
    ) -> Result<sys::napi_value> {
        self.slab(size).with_room(env, length)
    }

    /// Lets go of both: the environment ends.
    pub(super) fn release(&self, env: sys::napi_env) {
        self.small.release(env);
        self.medium.release(env);
    }

    /// Copies a payload that has room; returns its offset.
    pub(super) fn put(&self, size: Size, bytes: &[u8]) -> u32 {
        self.slab(size).put(bytes)
    }
}
