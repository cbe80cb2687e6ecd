//! What a session reads its records from and writes them to: memory of ours. OpenSSL calls a `BIO`, Node's own of which
//! must not be used off its thread.

use std::ffi::{c_char, c_int, c_long, c_void};
use std::ptr;
use std::sync::OnceLock;

use super::openssl::{
    BIO_CTRL_FLUSH, BIO_RETRY_FLAGS, BIO_RETRY_READ, BIO_SOURCE_SINK, Handle, OpenSsl,
};

/// Both ends, as the session's `BIO` sees them. It lies where it is as long as the `BIO` knows it.
#[derive(Default)]
pub(super) struct Pipe {
    /// Records that were received: `length` bytes, of which `taken` have been read. They outlive the call of OpenSSL that
    /// reads them, and no other call finds any.
    input: Option<Input>,
    /// Records to send.
    pub(super) output: Vec<u8>,
}

struct Input {
    bytes: *const u8,
    length: usize,
    taken: usize,
}

// SAFETY: the pointer is only there during a call, which is one thread's.
unsafe impl Send for Pipe {}

impl Pipe {
    /// Lets `work` read from `records`; returns what it did, and how many bytes it has read.
    ///
    /// # Safety
    /// `pipe` is the pipe of a session, and nothing else uses it meanwhile.
    pub(super) unsafe fn with_input<T>(
        pipe: *mut Self,
        records: &[u8],
        work: impl FnOnce() -> T,
    ) -> (T, usize) {
        // SAFETY: the caller's promise. OpenSSL reaches the pipe by the same pointer: no reference is held meanwhile.
        unsafe {
            (*pipe).input = Some(Input {
                bytes: records.as_ptr(),
                length: records.len(),
                taken: 0,
            });
            let result = work();
            let taken = (*pipe).input.take().map_or(0, |input| input.taken);
            (result, taken)
        }
    }

    /// Whether the session has read all that there is.
    pub(super) fn is_read(&self) -> bool {
        self.input
            .as_ref()
            .is_none_or(|input| input.taken == input.length)
    }

    fn read(&mut self, to: &mut [u8]) -> usize {
        let Some(input) = &mut self.input else {
            return 0;
        };
        let count = to.len().min(input.length - input.taken);
        // SAFETY: so many bytes are left after those that were taken, and they live (see `with_input`).
        let bytes = unsafe { std::slice::from_raw_parts(input.bytes.add(input.taken), count) };
        to[..count].copy_from_slice(bytes);
        input.taken += count;
        count
    }
}

/// A `BIO` over `pipe`. It has one reference.
pub(super) fn bio_over(openssl: &OpenSsl, pipe: *mut Pipe) -> Option<Handle> {
    let method = method(openssl)?;
    // SAFETY: the method is ours and stays; the `BIO` is new.
    unsafe {
        let bio = (openssl.bio_new)(method);
        if bio.is_null() {
            return None;
        }
        (openssl.bio_set_data)(bio, pipe.cast());
        (openssl.bio_set_init)(bio, 1);
        Some(bio)
    }
}

fn method(openssl: &OpenSsl) -> Option<Handle> {
    static METHOD: OnceLock<usize> = OnceLock::new();
    let method = *METHOD.get_or_init(|| {
        // SAFETY: the name ends with a NUL, and the functions stay where they are: the library is never unloaded.
        unsafe {
            let kind = (openssl.bio_type)() | BIO_SOURCE_SINK;
            let method = (openssl.bio_method)(kind, c"oxws".as_ptr());
            if !method.is_null() {
                (openssl.bio_method_write)(method, on_write);
                (openssl.bio_method_read)(method, on_read);
                (openssl.bio_method_ctrl)(method, on_ctrl);
            }
            method.expose_provenance()
        }
    });
    (method != 0).then(|| ptr::with_exposed_provenance_mut(method))
}

/// The pipe of a `BIO`; none once it is gone.
///
/// # Safety
/// `bio` is one of ours, and its pipe is used by nobody else: the session's owner calls OpenSSL, and OpenSSL calls this.
unsafe fn pipe_of<'a>(openssl: &OpenSsl, bio: Handle) -> Option<&'a mut Pipe> {
    // SAFETY: the caller's promise; the pipe takes itself out of the `BIO` before it goes.
    unsafe { (openssl.bio_data)(bio).cast::<Pipe>().as_mut() }
}

unsafe extern "C" fn on_write(bio: Handle, bytes: *const c_char, length: c_int) -> c_int {
    let Some(openssl) = OpenSsl::find() else {
        return -1;
    };
    // SAFETY: OpenSSL passes a `BIO` of ours and so many bytes.
    unsafe {
        (openssl.bio_clear_flags)(bio, BIO_RETRY_FLAGS);
        let Some(pipe) = pipe_of(openssl, bio) else {
            return -1;
        };
        if length > 0 {
            let bytes = std::slice::from_raw_parts(bytes.cast::<u8>(), length as usize);
            pipe.output.extend_from_slice(bytes);
        }
    }
    length
}

unsafe extern "C" fn on_read(bio: Handle, bytes: *mut c_char, length: c_int) -> c_int {
    let Some(openssl) = OpenSsl::find() else {
        return -1;
    };
    // SAFETY: OpenSSL passes a `BIO` of ours and room for so many bytes, which it or a reader before it has initialised:
    // records are read to OpenSSL's own buffers, of which nothing is looked at but what is written here.
    unsafe {
        (openssl.bio_clear_flags)(bio, BIO_RETRY_FLAGS);
        let read = match pipe_of(openssl, bio) {
            Some(pipe) if length > 0 => pipe.read(std::slice::from_raw_parts_mut(
                bytes.cast::<u8>(),
                length as usize,
            )),
            _ => 0,
        };
        if read == 0 {
            (openssl.bio_set_flags)(bio, BIO_RETRY_READ);
            return -1;
        }
        read as c_int
    }
}

unsafe extern "C" fn on_ctrl(_: Handle, command: c_int, _: c_long, _: *mut c_void) -> c_long {
    c_long::from(command == BIO_CTRL_FLUSH)
}
