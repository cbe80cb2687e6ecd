//! Memory that outlives what it was first used for, or that must not stay with the allocator.

pub(crate) mod buffer_pool;
pub(crate) mod growth;
pub(crate) mod mmap_buffer;
