//! Memory that payloads are handed to JavaScript in.
//!
//! A view on a shared ArrayBuffer costs a fraction of a Buffer of its own, and keeps all of it alive. So there are
//! several, for payloads of several lengths: a short message kept for ever pins at most 2 KiB, and a longer one no more
//! than `ws` pins for any, 64 KiB.
//!
//! `lib/bridge.js` marks them as untransferable. Whoever takes one away by other means (`ArrayBuffer.prototype.transfer`)
//! takes it with all messages in it, and nothing is written to it any more.

use std::cell::Cell;
use std::ptr;

use napi::{Result, sys};

use super::values::{check, made};

/// Which slab a payload goes to, from the one for the shortest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    Tiny,
    Small,
    Medium,
    /// None: it gets a Buffer of its own.
    Large,
}

/// The longest payload of each slab, and the length of the slab.
const LENGTHS: [(usize, usize); Size::Large as usize] =
    [(128, 2 * 1024), (512, 8 * 1024), (16 * 1024, 64 * 1024)];

impl Size {
    /// By the payload's length.
    pub(super) fn of(length: usize) -> Self {
        let [(tiny, _), (small, _), (medium, _)] = LENGTHS;
        match length {
            _ if length <= tiny => Self::Tiny,
            _ if length <= small => Self::Small,
            _ if length <= medium => Self::Medium,
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

/// The slabs of an environment.
pub(super) struct Slabs([Slab; LENGTHS.len()]);

impl Default for Slabs {
    fn default() -> Self {
        Self(LENGTHS.map(|(_, size)| Slab::new(size)))
    }
}

impl Slabs {
    /// Whether a payload of `length` bytes fits into its slab.
    pub(super) fn has_room(&self, size: Size, length: usize) -> bool {
        self.0[size as usize].has_room(length)
    }

    /// The ArrayBuffer of the slab of this size, which has room for a payload: a new one if need be.
    pub(super) fn with_room(
        &self,
        env: sys::napi_env,
        size: Size,
        length: usize,
    ) -> Result<sys::napi_value> {
        self.0[size as usize].with_room(env, length)
    }

    /// Lets go of all: the environment ends.
    pub(super) fn release(&self, env: sys::napi_env) {
        for slab in &self.0 {
            slab.release(env);
        }
    }

    /// Copies a payload that has room; returns its offset.
    pub(super) fn put(&self, size: Size, bytes: &[u8]) -> u32 {
        self.0[size as usize].put(bytes)
    }
}
