//! The few functions of OpenSSL that a session needs, looked up when the addon runs: those that Node has made the session
//! with. A process without them has no TLS here.

use std::ffi::{c_char, c_int, c_long, c_void};
use std::sync::OnceLock;

/// An opaque `SSL`, `SSL_CTX`, `BIO` or `BIO_METHOD`.
pub(super) type Handle = *mut c_void;
/// `CRYPTO_EX_new` and `CRYPTO_EX_free`: parent, value, data, index, argl, argp.
pub(super) type ExCallback =
    unsafe extern "C" fn(Handle, *mut c_void, *mut c_void, c_int, c_long, *mut c_void);
pub(super) type BioWrite = unsafe extern "C" fn(Handle, *const c_char, c_int) -> c_int;
pub(super) type BioRead = unsafe extern "C" fn(Handle, *mut c_char, c_int) -> c_int;
pub(super) type BioCtrl = unsafe extern "C" fn(Handle, c_int, c_long, *mut c_void) -> c_long;
pub(super) type PrintCallback = unsafe extern "C" fn(*const c_char, usize, *mut c_void) -> c_int;

/// `CRYPTO_EX_INDEX_SSL`.
pub(super) const EX_INDEX_SSL: c_int = 0;
/// `SSL_ERROR_*`.
pub(super) const ERROR_WANT_READ: c_int = 2;
pub(super) const ERROR_WANT_WRITE: c_int = 3;
pub(super) const ERROR_ZERO_RETURN: c_int = 6;
/// `SSL_OP_NO_RENEGOTIATION`.
pub(super) const OP_NO_RENEGOTIATION: u64 = 1 << 30;
/// `SSL_CTRL_SET_SESS_CACHE_MODE`, `SSL_CTRL_GET_SESS_CACHE_MODE` and `SSL_SESS_CACHE_CLIENT`.
pub(super) const CTRL_SET_SESS_CACHE_MODE: c_int = 44;
pub(super) const CTRL_GET_SESS_CACHE_MODE: c_int = 45;
pub(super) const SESS_CACHE_CLIENT: c_long = 1;
/// `BIO_CTRL_PENDING` and `BIO_CTRL_FLUSH`.
pub(super) const BIO_CTRL_PENDING: c_int = 10;
pub(super) const BIO_CTRL_FLUSH: c_int = 11;
/// `BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY`, and all flags of that kind.
pub(super) const BIO_RETRY_READ: c_int = 0x01 | 0x08;
pub(super) const BIO_RETRY_FLAGS: c_int = 0x0f;
/// `BIO_TYPE_SOURCE_SINK`.
pub(super) const BIO_SOURCE_SINK: c_int = 0x0400;

macro_rules! functions {
    ($($name:ident = $symbol:literal: fn($($argument:ty),*) $(-> $result:ty)?;)*) => {
        /// OpenSSL's functions.
        #[cfg_attr(not(unix), expect(dead_code, reason = "no sockets are adopted there"))]
        pub(super) struct OpenSsl {
            $(pub(super) $name: unsafe extern "C" fn($($argument),*) $(-> $result)?,)*
        }

        impl OpenSsl {
            #[cfg(unix)]
            fn look_up() -> Option<Self> {
                $(
                    // SAFETY: the name ends with a NUL.
                    let $name = unsafe { libc::dlsym(libc::RTLD_DEFAULT, $symbol.as_ptr()) };
                    if $name.is_null() {
                        return None;
                    }
                )*
                let functions = Self {
                    $(
                        // SAFETY: the ABI of these functions is stable within version 3, which is asked for below
                        // before any but `version` is called.
                        $name: unsafe {
                            std::mem::transmute::<*mut c_void, unsafe extern "C" fn($($argument),*) $(-> $result)?>($name)
                        },
                    )*
                };
                // SAFETY: it has no arguments and no preconditions.
                let version = unsafe { (functions.version)() };
                (version >> 28 == 3).then_some(functions)
            }
        }
    };
}

functions! {
    version = c"OpenSSL_version_num": fn() -> u64;
    new_ex_index = c"CRYPTO_get_ex_new_index": fn(c_int, c_long, *mut c_void, Option<ExCallback>, Option<ExCallback>, Option<ExCallback>) -> c_int;
    get_finished = c"SSL_get_finished": fn(Handle, *mut c_void, usize) -> usize;
    up_ref = c"SSL_up_ref": fn(Handle) -> c_int;
    free = c"SSL_free": fn(Handle);
    rbio = c"SSL_get_rbio": fn(Handle) -> Handle;
    wbio = c"SSL_get_wbio": fn(Handle) -> Handle;
    set0_rbio = c"SSL_set0_rbio": fn(Handle, Handle);
    set0_wbio = c"SSL_set0_wbio": fn(Handle, Handle);
    set_info_callback = c"SSL_set_info_callback": fn(Handle, *const c_void);
    set_msg_callback = c"SSL_set_msg_callback": fn(Handle, *const c_void);
    set_cert_cb = c"SSL_set_cert_cb": fn(Handle, *const c_void, *mut c_void);
    set_options = c"SSL_set_options": fn(Handle, u64) -> u64;
    context = c"SSL_get_SSL_CTX": fn(Handle) -> Handle;
    context_ctrl = c"SSL_CTX_ctrl": fn(Handle, c_int, c_long, *mut c_void) -> c_long;
    is_server = c"SSL_is_server": fn(Handle) -> c_int;
    read = c"SSL_read": fn(Handle, *mut c_void, c_int) -> c_int;
    write = c"SSL_write": fn(Handle, *const c_void, c_int) -> c_int;
    shutdown = c"SSL_shutdown": fn(Handle) -> c_int;
    pending = c"SSL_pending": fn(Handle) -> c_int;
    error = c"SSL_get_error": fn(Handle, c_int) -> c_int;
    bio_type = c"BIO_get_new_index": fn() -> c_int;
    bio_method = c"BIO_meth_new": fn(c_int, *const c_char) -> Handle;
    bio_method_write = c"BIO_meth_set_write": fn(Handle, BioWrite) -> c_int;
    bio_method_read = c"BIO_meth_set_read": fn(Handle, BioRead) -> c_int;
    bio_method_ctrl = c"BIO_meth_set_ctrl": fn(Handle, BioCtrl) -> c_int;
    bio_new = c"BIO_new": fn(Handle) -> Handle;
    bio_up_ref = c"BIO_up_ref": fn(Handle) -> c_int;
    bio_duplicate = c"BIO_dup_chain": fn(Handle) -> Handle;
    bio_free = c"BIO_free": fn(Handle) -> c_int;
    bio_set_init = c"BIO_set_init": fn(Handle, c_int);
    bio_set_data = c"BIO_set_data": fn(Handle, *mut c_void);
    bio_data = c"BIO_get_data": fn(Handle) -> *mut c_void;
    bio_set_flags = c"BIO_set_flags": fn(Handle, c_int);
    bio_clear_flags = c"BIO_clear_flags": fn(Handle, c_int);
    bio_read = c"BIO_read": fn(Handle, *mut c_void, c_int) -> c_int;
    bio_ctrl = c"BIO_ctrl": fn(Handle, c_int, c_long, *mut c_void) -> c_long;
    bio_written = c"BIO_number_written": fn(Handle) -> u64;
    clear_errors = c"ERR_clear_error": fn();
    peek_error = c"ERR_peek_error": fn() -> u64;
    print_errors = c"ERR_print_errors_cb": fn(PrintCallback, *mut c_void);
    library_of = c"ERR_lib_error_string": fn(u64) -> *const c_char;
    reason_of = c"ERR_reason_error_string": fn(u64) -> *const c_char;
}

impl OpenSsl {
    /// Empties the thread's queue of errors. To look first is a tenth of the work.
    pub(super) fn ensure_no_errors(&self) {
        // SAFETY: neither function has preconditions.
        unsafe {
            if (self.peek_error)() != 0 {
                (self.clear_errors)();
            }
        }
    }

    /// OpenSSL 3, if the process has it.
    pub(super) fn find() -> Option<&'static Self> {
        static FOUND: OnceLock<Option<OpenSsl>> = OnceLock::new();
        #[cfg(unix)]
        return FOUND.get_or_init(Self::look_up).as_ref();
        #[cfg(not(unix))]
        FOUND.get_or_init(|| None).as_ref()
    }
}
