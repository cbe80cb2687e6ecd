//! Memory that payloads are handed to JavaScript in.
//!
//! A view on a shared ArrayBuffer costs a fraction of a Buffer of its own. But it keeps all of the ArrayBuffer alive, shows
//! all of it to the program, and posting it to another thread copies all of it. So only short messages share memory, and
//! only those of one connection: nothing of one client lies where another one's does.

use std::cell::{Cell, RefCell};
use std::ptr;

use napi::{Result, sys};

use crate::node::raw::values::{check, napi_call};

/// Where a payload goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    /// To slabs of its connection.
    Tiny,
    Small,
    /// To memory of one call of JavaScript.
    Medium,
    /// Nowhere: it gets a Buffer of its own.
    Large,
}

/// The longest payload of each slab, and the length of the slab.
const LENGTHS: [(usize, usize); 2] = [(128, 1024), (1024, 4 * 1024)];

/// The longest payload that shares the memory of a call, and as much of that as there is.
const MEDIUM: usize = 16 * 1024;

/// Connections that have slabs at a time. Each has the slot of its id, so that fewer do not take them from each other.
const SLOTS: usize = 512;

impl Size {
    /// By the payload's length.
    pub(crate) fn of(length: usize) -> Self {
        let [(tiny, _), (small, _)] = LENGTHS;
        match length {
            _ if length <= tiny => Self::Tiny,
            _ if length <= small => Self::Small,
            _ if length <= MEDIUM => Self::Medium,
            _ => Self::Large,
        }
    }
}

/// What a payload takes: eight-byte steps, so that typed arrays can be laid over it.
fn padded(length: usize) -> usize {
    length.next_multiple_of(8)
}

/// Memory of the lengths of what will be put there, but no more than a call's may have.
pub(crate) fn medium_length(lengths: impl Iterator<Item = usize>) -> usize {
    let mut total = 0;
    for length in lengths {
        let with_next = total + padded(length);
        if total > 0 && with_next > MEDIUM {
            break;
        }
        total = with_next;
    }
    total
}

/// An ArrayBuffer that is filled from its beginning to its end.
struct Slab {
    size: Cell<usize>,
    used: Cell<usize>,
    data: Cell<*mut u8>,
    reference: Cell<sys::napi_ref>,
}

impl Slab {
    const fn new() -> Self {
        Self {
            size: Cell::new(0),
            used: Cell::new(0),
            data: Cell::new(ptr::null_mut()),
            reference: Cell::new(ptr::null_mut()),
        }
    }

    fn has_room(&self, length: usize) -> bool {
        self.size.get() - self.used.get() >= length
    }

    /// A new ArrayBuffer; the old one lives as long as its views.
    fn renew(&self, env: sys::napi_env, size: usize) -> Result<sys::napi_value> {
        let mut data = ptr::null_mut();
        let mut reference = ptr::null_mut();
        self.release(env);
        // SAFETY: `env` is the environment of this thread, inside a handle scope; the reference is ours.
        let buffer = unsafe {
            let buffer = napi_call!(napi_create_arraybuffer, env, size, &mut data)?;
            check(sys::napi_create_reference(env, buffer, 1, &mut reference))?;
            buffer
        };
        self.reference.set(reference);
        self.data.set(data.cast());
        self.size.set(size);
        Ok(buffer)
    }

    /// Nothing is put there any more.
    fn release(&self, env: sys::napi_env) {
        self.size.set(0);
        self.used.set(0);
        let reference = self.reference.replace(ptr::null_mut());
        if !reference.is_null() {
            // SAFETY: the reference is ours.
            unsafe { sys::napi_delete_reference(env, reference) };
        }
    }

    fn put(&self, bytes: &[u8]) -> u32 {
        let offset = self.used.get();
        assert!(self.has_room(bytes.len()));
        // SAFETY: there is room, and nobody else writes after `used`: views end there.
        unsafe {
            ptr::copy_nonoverlapping(bytes.as_ptr(), self.data.get().add(offset), bytes.len());
        }
        self.used
            .set((offset + padded(bytes.len())).min(self.size.get()));
        offset as u32
    }

    /// The ArrayBuffer, unless there is none or somebody has taken it away.
    fn value(&self, env: sys::napi_env) -> Result<Option<sys::napi_value>> {
        if self.reference.get().is_null() {
            return Ok(None);
        }
        let mut is_detached = false;
        // SAFETY: the reference is ours and strong.
        unsafe {
            let value = napi_call!(napi_get_reference_value, env, self.reference.get())?;
            check(sys::napi_is_detached_arraybuffer(
                env,
                value,
                &mut is_detached,
            ))?;
            Ok((!is_detached).then_some(value))
        }
    }
}

/// Whose slabs they are: an id of a bridge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TargetId {
    pub(crate) bridge: u32,
    pub(crate) id: u32,
}

struct Slot {
    target: Cell<Option<TargetId>>,
    slabs: [Slab; LENGTHS.len()],
}

impl Slot {
    const fn new() -> Self {
        Self {
            target: Cell::new(None),
            slabs: [Slab::new(), Slab::new()],
        }
    }

    fn release(&self, env: sys::napi_env) {
        self.target.set(None);
        for slab in &self.slabs {
            slab.release(env);
        }
    }
}

/// The slabs of an environment.
#[derive(Default)]
pub(crate) struct Slabs {
    /// As many as were needed.
    slots: RefCell<Vec<Slot>>,
}

impl Slabs {
    /// The slot that `target` has or may take.
    fn with<T>(&self, target: TargetId, work: impl FnOnce(&Slot) -> T) -> T {
        let index = target.id as usize % SLOTS;
        let mut slots = self.slots.borrow_mut();
        if slots.len() <= index {
            slots.resize_with(index + 1, Slot::new);
        }
        work(&slots[index])
    }

    /// The ArrayBuffer for a payload of `length` bytes of `target`, which goes to one of its slabs.
    pub(crate) fn with_room(
        &self,
        env: sys::napi_env,
        target: TargetId,
        size: Size,
        length: usize,
    ) -> Result<sys::napi_value> {
        self.with(target, |slot| {
            if slot.target.get() != Some(target) {
                slot.release(env);
                slot.target.set(Some(target));
            }
            let slab = &slot.slabs[size as usize];
            match slab.value(env)? {
                Some(value) if slab.has_room(length) => Ok(value),
                _ => slab.renew(env, LENGTHS[size as usize].1),
            }
        })
    }

    /// Copies a payload to the slab of `target`, which is the one of [`Slabs::with_room`] still; returns its offset. `None`
    /// if there is no room left.
    pub(crate) fn put(&self, target: TargetId, size: Size, bytes: &[u8]) -> Option<u32> {
        self.with(target, |slot| {
            debug_assert_eq!(slot.target.get(), Some(target));
            let slab = &slot.slabs[size as usize];
            slab.has_room(bytes.len()).then(|| slab.put(bytes))
        })
    }

    /// The id is free: who gets it next has slabs of its own.
    pub(crate) fn forget(&self, env: sys::napi_env, target: TargetId) {
        let index = target.id as usize % SLOTS;
        if let Some(slot) = self.slots.borrow().get(index)
            && slot.target.get() == Some(target)
        {
            slot.release(env);
        }
    }

    /// Lets go of all: the environment ends.
    pub(crate) fn release(&self, env: sys::napi_env) {
        for slot in self.slots.borrow().iter() {
            slot.release(env);
        }
    }
}

/// The memory of one call.
pub(crate) struct Shared {
    pub(crate) value: sys::napi_value,
    data: *mut u8,
    size: usize,
    used: usize,
}

impl Shared {
    pub(crate) fn new(env: sys::napi_env, size: usize) -> Result<Self> {
        let mut data = ptr::null_mut();
        // SAFETY: `env` is the environment of this thread, inside a handle scope that outlives this.
        let value = unsafe { napi_call!(napi_create_arraybuffer, env, size, &mut data)? };
        Ok(Self {
            value,
            data: data.cast(),
            size,
            used: 0,
        })
    }

    /// Copies a payload; returns its offset. `None` if there is no room left.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> Option<u32> {
        if self.size - self.used < bytes.len() {
            return None;
        }
        let offset = self.used;
        // SAFETY: there is room, and no JavaScript has seen the memory yet.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.data.add(offset), bytes.len()) };
        self.used = (offset + padded(bytes.len())).min(self.size);
        Some(offset as u32)
    }
}
