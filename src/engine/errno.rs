//! The numbers by which Node.js knows the system's errors.

use std::io;

/// The number of an error, without the sign that Node.js gives it; EIO for errors that did not come from the system.
pub fn errno(error: &io::Error) -> u32 {
    error.raw_os_error().map_or(EIO, translate)
}

#[cfg(not(windows))]
const EIO: u32 = 5;

/// Node.js has the numbers of the system.
#[cfg(not(windows))]
fn translate(code: i32) -> u32 {
    code.unsigned_abs()
}

#[cfg(windows)]
const EIO: u32 = 4070;

/// On Windows Node.js has the numbers of libuv (`uv/errno.h`), who knows what the system says by the names of POSIX. Here is
/// what calls on sockets answer with; the rest is `UNKNOWN`.
#[cfg(windows)]
fn translate(code: i32) -> u32 {
    match code {
        // WSAEACCES, ERROR_ACCESS_DENIED: EACCES
        10013 | 5 => 4092,
        // WSAEADDRINUSE, ERROR_ADDRESS_ALREADY_ASSOCIATED: EADDRINUSE
        10048 | 1227 => 4091,
        // WSAEADDRNOTAVAIL: EADDRNOTAVAIL
        10049 => 4090,
        // WSAEAFNOSUPPORT: EAFNOSUPPORT
        10047 => 4089,
        // WSAEWOULDBLOCK: EAGAIN
        10035 => 4088,
        // WSAEALREADY: EALREADY
        10037 => 4084,
        // ERROR_INVALID_HANDLE: EBADF
        6 => 4083,
        // WSAEINTR, ERROR_OPERATION_ABORTED: ECANCELED
        10004 | 995 => 4081,
        // WSAECONNABORTED, ERROR_CONNECTION_ABORTED: ECONNABORTED
        10053 | 1236 => 4079,
        // WSAECONNREFUSED, ERROR_CONNECTION_REFUSED: ECONNREFUSED
        10061 | 1225 => 4078,
        // WSAECONNRESET, ERROR_NETNAME_DELETED: ECONNRESET
        10054 | 64 => 4077,
        // WSAEFAULT: EFAULT
        10014 => 4074,
        // WSAEHOSTUNREACH, ERROR_HOST_UNREACHABLE: EHOSTUNREACH
        10065 | 1232 => 4073,
        // WSAEINVAL, WSAEPFNOSUPPORT, ERROR_INVALID_PARAMETER: EINVAL
        10022 | 10046 | 87 => 4071,
        // WSAEISCONN: EISCONN
        10056 => 4069,
        // WSAEMFILE, ERROR_TOO_MANY_OPEN_FILES: EMFILE
        10024 | 4 => 4066,
        // WSAENETUNREACH, ERROR_NETWORK_UNREACHABLE: ENETUNREACH
        10051 | 1231 => 4062,
        // WSAENOBUFS: ENOBUFS
        10055 => 4060,
        // ERROR_NOT_ENOUGH_MEMORY, ERROR_OUTOFMEMORY: ENOMEM
        8 | 14 => 4057,
        // WSAENOTCONN, ERROR_NOT_CONNECTED: ENOTCONN
        10057 | 2250 => 4053,
        // WSAENOTSOCK: ENOTSOCK
        10038 => 4050,
        // ERROR_NOT_SUPPORTED: ENOTSUP
        50 => 4049,
        // WSAESHUTDOWN, ERROR_NO_DATA: EPIPE
        10058 | 232 => 4047,
        // WSAEPROTONOSUPPORT: EPROTONOSUPPORT
        10043 => 4045,
        // WSAETIMEDOUT, ERROR_SEM_TIMEOUT: ETIMEDOUT
        10060 | 121 => 4039,
        // WSAESOCKTNOSUPPORT: ESOCKTNOSUPPORT
        10044 => 4025,
        _ => 4094,
    }
}
