//! An established TLS session that Node made, and that we go on with.
//!
//! # Invariants
//! - The `SSL` is ours and Node's `TLSWrap`'s, one reference each. Once it is taken, the owner of a [`Session`] is the only
//!   one who reads or writes with it; Node asks it things, behind the same lock (see [`Session::take`]).
//! - OpenSSL calls nobody of Node's meanwhile: no renegotiation, no session is announced, and the callbacks of the `SSL`
//!   are gone. Those of its context are for handshakes.
//! - A thread's queue of errors is empty before each call and after it: Node looks at that of its own.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::io::{self, IoSlice};
use std::ptr;

use super::live;
use super::openssl::{
    BIO_CTRL_PENDING, CTRL_GET_SESS_CACHE_MODE, CTRL_SET_SESS_CACHE_MODE, ERROR_WANT_READ,
    ERROR_WANT_WRITE, ERROR_ZERO_RETURN, Handle, OP_NO_RENEGOTIATION, OpenSsl, SESS_CACHE_CLIENT,
};
use super::pipe::{self, Pipe};

/// A record's most: what is shorter is put together.
const RECORD: usize = 16 * 1024;

/// What is encrypted before any of it is sent, in bytes.
const AT_ONCE: usize = 128 * 1024;

/// Why a session failed, in OpenSSL's words.
#[derive(Debug)]
pub struct TlsError {
    /// All it says.
    pub message: String,
    /// The part of it that found out.
    pub library: String,
    /// What happened.
    pub reason: String,
}

impl std::fmt::Display for TlsError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for TlsError {}

/// A session that was found, and that Node still uses.
pub struct FoundSession {
    openssl: &'static OpenSsl,
    ssl: Handle,
    /// Records of Node's that it will not send: see [`FoundSession::take_unsent`].
    records: Vec<u8>,
}

/// What Node's `BIO`s are: they are Node's to free, on its own thread, once its `TLSWrap` has forgotten them.
pub struct FormerBios {
    openssl: &'static OpenSsl,
    bios: [Handle; 2],
}

/// A session that only we read and write with.
pub(crate) struct Session {
    openssl: &'static OpenSsl,
    ssl: Handle,
    /// On the heap, where the session's `BIO` finds it by this pointer alone.
    pipe: *mut Pipe,
    bio: Handle,
}

// SAFETY: an `SSL` is no thread's as long as one at a time uses it, and who has a `FoundSession` or `Session` does.
unsafe impl Send for FoundSession {}
// SAFETY: an `SSL` is no thread's as long as one at a time uses it, and who has a `Session` does; the pipe is the session's.
unsafe impl Send for Session {}

impl FoundSession {
    /// The session of this thread whose handshake we ended with `finished`, unless it was found before.
    pub fn find(finished: &[u8]) -> Option<Self> {
        let openssl = OpenSsl::find()?;
        let ssl = live::find(openssl, finished)?;
        let records = Vec::new();
        Some(Self {
            openssl,
            ssl,
            records,
        })
    }

    /// Takes the records that Node has made and sent nothing of: the tickets of a handshake which has ended with the bytes
    /// that brought the request. They leave with what we send first. `sent` is how many bytes Node has given to the kernel;
    /// a write that it has begun takes its records from the `BIO` when it ends, and then nothing is taken.
    ///
    /// Must be called on Node's thread.
    pub fn take_unsent(&mut self, sent: u64) {
        let unsent = self.unsent();
        if unsent > 0 && self.made().checked_sub(sent) == Some(unsent as u64) {
            // SAFETY: the session lives, this is its thread, and OpenSSL is in no call that writes.
            self.records = unsafe { drain(self.openssl, self.wbio()) };
        }
    }

    /// Records that Node has made, and not given to the kernel yet.
    pub fn unsent(&self) -> usize {
        // SAFETY: the session lives, and no other thread uses it.
        unsafe {
            (self.openssl.bio_ctrl)(self.wbio(), BIO_CTRL_PENDING, 0, ptr::null_mut()) as usize
        }
    }

    /// How many bytes of records Node has made in all, but for those that were taken.
    pub fn made(&self) -> u64 {
        // SAFETY: the session lives, and no other thread uses it.
        let made = unsafe { (self.openssl.bio_written)(self.wbio()) };
        made - self.records.len() as u64
    }

    fn wbio(&self) -> Handle {
        // SAFETY: the session lives, and no other thread uses it.
        unsafe { (self.openssl.wbio)(self.ssl) }
    }
}

impl Drop for FoundSession {
    fn drop(&mut self) {
        // SAFETY: the reference is ours.
        unsafe { (self.openssl.free)(self.ssl) };
    }
}

impl FormerBios {
    /// Frees the buffers that they keep for records: up to 35 KiB, for nobody. Nothing of Node's may be in a call of theirs.
    pub fn free_buffers(&self) {
        let openssl = self.openssl;
        for bio in self.bios {
            // SAFETY: both references are ours, and this is Node's thread. A duplicate is a new `BIO` of the same kind, with
            // data of its own, and that data is empty: the two change places, and the old one goes with the duplicate.
            unsafe {
                let duplicate = (openssl.bio_duplicate)(bio);
                if duplicate.is_null() {
                    continue;
                }
                let (full, empty) = ((openssl.bio_data)(bio), (openssl.bio_data)(duplicate));
                if !empty.is_null() {
                    (openssl.bio_set_data)(bio, empty);
                    (openssl.bio_set_data)(duplicate, full);
                }
                (openssl.bio_free)(duplicate);
                openssl.ensure_no_errors();
            }
        }
    }
}

impl Drop for FormerBios {
    fn drop(&mut self) {
        for bio in self.bios {
            // SAFETY: the references are ours; this is Node's thread, or its end, and the `TLSWrap` is done with them.
            unsafe { (self.openssl.bio_free)(bio) };
        }
    }
}

impl Session {
    /// Takes the session over. Of the records that Node has made the last `unsent` have still to be sent. Also returns what
    /// Node has received and not looked at.
    ///
    /// Must be called on Node's thread, where nothing of Node's uses the session or will again, but for what only asks, and
    /// that behind the lock of who gets it, or with its own reference gone.
    pub(crate) fn take(
        mut found: FoundSession,
        unsent: usize,
    ) -> Option<(Self, Vec<u8>, FormerBios)> {
        let (openssl, ssl) = (found.openssl, found.ssl);
        let pipe = Box::into_raw(Box::<Pipe>::default());
        let Some(bio) = pipe::bio_over(openssl, pipe) else {
            // SAFETY: nobody knows it.
            drop(unsafe { Box::from_raw(pipe) });
            return None;
        };
        let taken = std::mem::take(&mut found.records);
        // From here on the session is let go of by `drop`.
        std::mem::forget(found);
        let mut session = Self {
            openssl,
            ssl,
            pipe,
            bio,
        };
        // SAFETY: the session lives, and only this thread uses it. Node's `BIO`s get a reference each before the session
        // lets go of them, as its `TLSWrap` goes on pointing at them; ours has one for either place and one of our own.
        unsafe {
            let bios = [(openssl.rbio)(ssl), (openssl.wbio)(ssl)];
            for bio in bios {
                (openssl.bio_up_ref)(bio);
            }
            let received = drain(openssl, bios[0]);
            let mut made = drain(openssl, bios[1]);
            made.drain(..made.len().saturating_sub(unsent));
            session.pipe().output = taken;
            session.pipe().output.append(&mut made);
            (openssl.bio_up_ref)(bio);
            (openssl.bio_up_ref)(bio);
            (openssl.set0_rbio)(ssl, bio);
            (openssl.set0_wbio)(ssl, bio);
            (openssl.set_info_callback)(ssl, ptr::null());
            (openssl.set_msg_callback)(ssl, ptr::null());
            (openssl.set_cert_cb)(ssl, ptr::null(), ptr::null_mut());
            (openssl.set_options)(ssl, OP_NO_RENEGOTIATION);
            if (openssl.is_server)(ssl) == 0 {
                // A client's context is its own. Node's callback for the sessions of tickets must not be called.
                let context = (openssl.context)(ssl);
                let none = ptr::null_mut();
                let mode = (openssl.context_ctrl)(context, CTRL_GET_SESS_CACHE_MODE, 0, none);
                let mode = mode & !SESS_CACHE_CLIENT;
                (openssl.context_ctrl)(context, CTRL_SET_SESS_CACHE_MODE, mode, none);
            }
            (openssl.clear_errors)();
            Some((session, received, FormerBios { openssl, bios }))
        }
    }

    fn pipe(&mut self) -> &mut Pipe {
        // SAFETY: the pipe lives as long as the session, and OpenSSL does not use it now.
        unsafe { &mut *self.pipe }
    }

    /// Records to send.
    pub(crate) fn output(&mut self) -> &mut Vec<u8> {
        &mut self.pipe().output
    }

    /// Bytes that can be read though no record comes.
    pub(crate) fn has_pending(&self) -> bool {
        // SAFETY: the session lives, and only we use it.
        unsafe { (self.openssl.pending)(self.ssl) > 0 }
    }

    /// Reads what `records` hold to the end of `buffer`, `room` bytes at most, and with `is_chunk` the bytes of one record.
    /// Returns how many of `records` it has seen, and whether the peer has said that no more comes.
    pub(crate) fn read(
        &mut self,
        records: &[u8],
        buffer: &mut Vec<u8>,
        room: usize,
        is_chunk: bool,
    ) -> (usize, io::Result<bool>) {
        let end = buffer.len() + room;
        let work = || {
            while buffer.len() < end {
                let left = end - buffer.len();
                let spare = &mut buffer.spare_capacity_mut()[..left];
                let length = c_int::try_from(spare.len()).unwrap_or(c_int::MAX);
                // SAFETY: the session lives, only we use it, and there is room for so many bytes.
                let read = unsafe {
                    self.openssl.ensure_no_errors();
                    (self.openssl.read)(self.ssl, spare.as_mut_ptr().cast(), length)
                };
                if read <= 0 {
                    return self.ended(read);
                }
                // SAFETY: so many bytes were written after the last one.
                unsafe { buffer.set_len(buffer.len() + read as usize) };
                // To ask for more, and be told that there is none, costs half of what a short record does.
                // SAFETY: the pipe is the session's, and OpenSSL does not use it now.
                if is_chunk || unsafe { (*self.pipe).is_read() } && !self.has_pending() {
                    break;
                }
            }
            Ok(false)
        };
        // SAFETY: the pipe is the session's, and we have that.
        let (result, taken) = unsafe { Pipe::with_input(self.pipe, records, work) };
        (taken, result)
    }

    /// What a call means that did not do what it was to: whether the peer has ended.
    fn ended(&self, result: c_int) -> io::Result<bool> {
        // SAFETY: the session lives, and the call before was of it.
        match unsafe { (self.openssl.error)(self.ssl, result) } {
            ERROR_WANT_READ | ERROR_WANT_WRITE => Ok(false),
            ERROR_ZERO_RETURN => Ok(true),
            _ => Err(self.failure()),
        }
    }

    /// Takes the error from the thread's queue.
    fn failure(&self) -> io::Error {
        let openssl = self.openssl;
        let mut message = String::new();
        // SAFETY: the callback gets the message, which outlives the call.
        let (library, reason) = unsafe {
            let code = (openssl.peek_error)();
            (openssl.print_errors)(on_error, (&raw mut message).cast());
            (openssl.clear_errors)();
            (
                text_of((openssl.library_of)(code)),
                text_of((openssl.reason_of)(code)),
            )
        };
        let error = TlsError {
            message,
            library,
            reason,
        };
        io::Error::new(io::ErrorKind::InvalidData, error)
    }

    /// Makes records of the beginning of `slices`; returns of how many bytes.
    pub(crate) fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        if let [slice] = slices {
            let length = slice.len().min(AT_ONCE);
            self.encrypt(&slice[..length])?;
            return Ok(length);
        }
        // A header and its payload are one record.
        let mut record = Vec::with_capacity(RECORD);
        let mut done = 0;
        for slice in slices {
            let mut slice = &slice[..];
            if !record.is_empty() {
                let (beginning, rest) = slice.split_at(slice.len().min(RECORD - record.len()));
                record.extend_from_slice(beginning);
                slice = rest;
                if record.len() == RECORD {
                    done += self.encrypt(&record)?;
                    record.clear();
                }
            }
            let whole = slice.len() / RECORD * RECORD;
            let whole = whole.min(AT_ONCE.saturating_sub(done) / RECORD * RECORD);
            if whole > 0 {
                done += self.encrypt(&slice[..whole])?;
            }
            if done + slice.len() - whole >= AT_ONCE {
                return Ok(done);
            }
            record.extend_from_slice(&slice[whole..]);
        }
        done += self.encrypt(&record)?;
        Ok(done)
    }

    fn encrypt(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        let length = c_int::try_from(bytes.len()).unwrap_or(c_int::MAX);
        // SAFETY: the session lives, only we use it, and there are so many bytes.
        let written = unsafe {
            self.openssl.ensure_no_errors();
            (self.openssl.write)(self.ssl, bytes.as_ptr().cast(), length)
        };
        if written == length {
            return Ok(bytes.len());
        }
        // Records are written to memory, and always whole: only a broken session does not take all.
        match self.ended(written) {
            Err(error) => Err(error),
            Ok(_) => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// Tells the peer that no more comes.
    pub(crate) fn shutdown(&mut self) {
        // SAFETY: the session lives, and only we use it.
        unsafe {
            (self.openssl.clear_errors)();
            (self.openssl.shutdown)(self.ssl);
            (self.openssl.clear_errors)();
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // SAFETY: the references are ours. The `BIO` may live on in a session that Node still asks things: it forgets the
        // pipe first.
        unsafe {
            (self.openssl.bio_set_data)(self.bio, ptr::null_mut());
            (self.openssl.bio_free)(self.bio);
            (self.openssl.free)(self.ssl);
            drop(Box::from_raw(self.pipe));
        }
    }
}

/// Takes all that a `BIO` holds.
///
/// # Safety
/// It lives, and only this thread uses it.
unsafe fn drain(openssl: &OpenSsl, bio: Handle) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut some = [0u8; 4096];
    loop {
        // SAFETY: the caller's promise; there is room for so many bytes.
        let read =
            unsafe { (openssl.bio_read)(bio, some.as_mut_ptr().cast(), some.len() as c_int) };
        match some.get(..usize::try_from(read).unwrap_or_default()) {
            Some(read) if !read.is_empty() => bytes.extend_from_slice(read),
            _ => return bytes,
        }
    }
}

/// As Node has it, the first line is what an error says.
unsafe extern "C" fn on_error(text: *const c_char, length: usize, message: *mut c_void) -> c_int {
    // SAFETY: OpenSSL passes so many bytes, and the message of `failure`.
    unsafe {
        let bytes = std::slice::from_raw_parts(text.cast::<u8>(), length);
        *message.cast::<String>() = String::from_utf8_lossy(bytes).into_owned();
    }
    0
}

/// # Safety
/// `text` is null, or a string that stays.
unsafe fn text_of(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned()
}
