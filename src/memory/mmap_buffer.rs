//! Memory that comes from the system by itself and goes back to it at once.
//!
//! An allocator keeps what lies between blocks that are in use: after hundreds of MiB of small pieces glibc gave nothing
//! back to the system.

/// Bytes that do not change, on pages of their own.
pub(crate) struct MmapBuffer {
    #[cfg(unix)]
    data: std::ptr::NonNull<u8>,
    #[cfg(unix)]
    len: usize,
    #[cfg(not(unix))]
    bytes: Box<[u8]>,
}

#[cfg(unix)]
impl MmapBuffer {
    /// A copy of `bytes`, unless they are none or the system has no more memory maps.
    pub(crate) fn copy_of(bytes: &[u8]) -> Option<Self> {
        let len = bytes.len();
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANON;
        // SAFETY: a new mapping of `len` bytes, that nobody else has, is filled with as many.
        unsafe {
            let data = libc::mmap(std::ptr::null_mut(), len, protection, flags, -1, 0);
            if data == libc::MAP_FAILED {
                return None;
            }
            let data = std::ptr::NonNull::new(data.cast::<u8>())?;
            data.copy_from_nonoverlapping(std::ptr::NonNull::from(bytes).cast(), len);
            Some(Self { data, len })
        }
    }
}

#[cfg(unix)]
impl Drop for MmapBuffer {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and ends with us.
        unsafe { libc::munmap(self.data.as_ptr().cast(), self.len) };
    }
}

// SAFETY: the mapping has one owner, and nobody writes to it.
#[cfg(unix)]
unsafe impl Send for MmapBuffer {}

#[cfg(unix)]
impl AsRef<[u8]> for MmapBuffer {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: the mapping has `len` initialised bytes and lives as long as we do.
        unsafe { std::slice::from_raw_parts(self.data.as_ptr(), self.len) }
    }
}

#[cfg(not(unix))]
impl MmapBuffer {
    /// A copy of `bytes`.
    pub(crate) fn copy_of(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            bytes: bytes.into(),
        })
    }
}

#[cfg(not(unix))]
impl AsRef<[u8]> for MmapBuffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}
