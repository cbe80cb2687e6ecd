//! The sessions that live in this process, so that one can be found again.
//!
//! Node does not tell which `SSL` a socket of its has. OpenSSL tells of each that is made and freed, and the message that
//! ended a session's handshake tells it from all others.

use std::collections::BTreeMap;
use std::ffi::{c_int, c_long, c_void};
use std::sync::{Mutex, OnceLock};
use std::thread::{self, ThreadId};

use super::openssl::{EX_INDEX_SSL, Handle, OpenSsl};
use crate::engine::sync::lock;

/// No TLS version has a longer one.
const MAX_FINISHED: usize = 64;

struct Live {
    ssl: usize,
    /// Who made it. Only that thread looks at it: others may use theirs meanwhile.
    thread: ThreadId,
}

#[derive(Default)]
struct Table {
    /// In the order in which they were made.
    sessions: BTreeMap<u64, Live>,
    /// The key of each.
    keys: std::collections::HashMap<usize, u64>,
    next: u64,
}

static TABLE: Mutex<Option<Table>> = Mutex::new(None);

/// Begins to note what sessions are made, once in a process. Tells whether that works here.
pub(super) fn watch() -> bool {
    static IS_WATCHING: OnceLock<bool> = OnceLock::new();
    *IS_WATCHING.get_or_init(|| {
        let Some(openssl) = OpenSsl::find() else {
            return false;
        };
        // OpenSSL calls back for as long as the process lives.
        if !stay_loaded() {
            return false;
        }
        *lock(&TABLE) = Some(Table::default());
        // SAFETY: both callbacks stay where they are.
        let index = unsafe {
            (openssl.new_ex_index)(
                EX_INDEX_SSL,
                0,
                std::ptr::null_mut(),
                Some(on_new),
                None,
                Some(on_free),
            )
        };
        index >= 0
    })
}

/// Has the library never unloaded.
#[cfg(unix)]
fn stay_loaded() -> bool {
    // SAFETY: `info` is only read where the call has filled it in, and its name ends with a NUL; a library that is loaded
    // already is not initialised again.
    unsafe {
        let mut info = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
        if libc::dladdr(on_new as *const c_void, info.as_mut_ptr()) == 0 {
            return false;
        }
        let flags = libc::RTLD_LAZY | libc::RTLD_NODELETE | libc::RTLD_NOLOAD;
        !libc::dlopen(info.assume_init().dli_fname, flags).is_null()
    }
}

#[cfg(not(unix))]
fn stay_loaded() -> bool {
    false
}

unsafe extern "C" fn on_new(
    ssl: Handle,
    _: *mut c_void,
    _: *mut c_void,
    _: c_int,
    _: c_long,
    _: *mut c_void,
) {
    if let Some(table) = &mut *lock(&TABLE) {
        let key = table.next;
        table.next += 1;
        let live = Live {
            ssl: ssl.expose_provenance(),
            thread: thread::current().id(),
        };
        table.sessions.insert(key, live);
        table.keys.insert(ssl.addr(), key);
    }
}

unsafe extern "C" fn on_free(
    ssl: Handle,
    _: *mut c_void,
    _: *mut c_void,
    _: c_int,
    _: c_long,
    _: *mut c_void,
) {
    if let Some(table) = &mut *lock(&TABLE)
        && let Some(key) = table.keys.remove(&ssl.addr())
    {
        table.sessions.remove(&key);
    }
}

/// The session of this thread whose handshake we ended with `finished`, with a reference of its own.
pub(super) fn find(openssl: &OpenSsl, finished: &[u8]) -> Option<Handle> {
    let mut guard = lock(&TABLE);
    let table = guard.as_mut()?;
    let this = thread::current().id();
    let is_wanted = |ssl: Handle| {
        let mut bytes = [0u8; MAX_FINISHED];
        // SAFETY: the session lives, as it is in the table; only this thread uses it, and does not now; `bytes` has the room.
        let length = unsafe { (openssl.get_finished)(ssl, bytes.as_mut_ptr().cast(), bytes.len()) };
        length > 0 && bytes.get(..length) == Some(finished)
    };
    // One that is asked for is one of the newest.
    let (key, ssl) = table
        .sessions
        .iter()
        .rev()
        .filter(|(_, live)| live.thread == this)
        .map(|(key, live)| (*key, std::ptr::with_exposed_provenance_mut(live.ssl)))
        .find(|(_, ssl)| is_wanted(*ssl))?;
    // SAFETY: the session lives, as it is in the table, which is locked.
    if unsafe { (openssl.up_ref)(ssl) } != 1 {
        return None;
    }
    // Nobody asks for it again, and other threads may use it from here on.
    table.sessions.remove(&key);
    table.keys.remove(&ssl.addr());
    Some(ssl)
}
