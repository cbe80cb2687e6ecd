//! Addresses of sockets, as Node reads and shows them.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};

#[cfg(unix)]
use libc::EINVAL;
#[cfg(unix)]
use socket2::SockAddr;

/// `WSAEINVAL`.
#[cfg(not(unix))]
const EINVAL: i32 = 10022;

/// One end of a TCP connection, as Node shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The address in text, with the zone of a link-local one.
    pub address: String,
    /// 0 to 65535.
    pub port: u16,
    /// Whether the family is IPv6.
    pub is_ipv6: bool,
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        let zone = match address {
            SocketAddr::V6(v6) if v6.ip().is_unicast_link_local() => zone::name(v6.scope_id()),
            _ => None,
        };
        let ip = text_of(address.ip());
        Self {
            address: match zone {
                Some(zone) => format!("{ip}%{zone}"),
                None => ip,
            },
            port: address.port(),
            is_ipv6: address.is_ipv6(),
        }
    }
}

/// As libuv writes them, which has the end of "IPv4-compatible" ones (RFC 4291, section 2.5.5.1) as IPv4 has it.
fn text_of(ip: IpAddr) -> String {
    match ip {
        IpAddr::V6(v6) => match v6.segments() {
            [0, 0, 0, 0, 0, 0, 0, 0 | 1] => v6.to_string(),
            [0, 0, 0, 0, 0, 0, ..] => {
                let [.., a, b, c, d] = v6.octets();
                format!("::{a}.{b}.{c}.{d}")
            }
            _ => v6.to_string(),
        },
        IpAddr::V4(v4) => v4.to_string(),
    }
}

/// The address of `port` at an IP address in text. A zone that there is not is none, as in libuv.
pub fn socket_address(ip: &str, port: u16) -> io::Result<SocketAddr> {
    let parsed = match ip.split_once('%') {
        Some((ip, zone)) => ip.parse::<Ipv6Addr>().map(|ip| {
            let scope = zone::index(zone).unwrap_or_default();
            SocketAddr::V6(SocketAddrV6::new(ip, port, 0, scope))
        }),
        None => ip.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, port)),
    };
    parsed.map_err(|_| invalid())
}

fn invalid() -> io::Error {
    io::Error::from_raw_os_error(EINVAL)
}

/// The address of a Unix domain socket. As in libuv a path may take all the room there is, with no NUL after it, and one
/// that is longer is cut off.
#[cfg(unix)]
pub(super) fn unix_address(path: &[u8]) -> io::Result<SockAddr> {
    use std::mem::{offset_of, size_of};

    const START: usize = offset_of!(libc::sockaddr_un, sun_path);
    const ROOM: usize = size_of::<libc::sockaddr_un>() - START;
    let path = &path[..path.len().min(ROOM)];
    // SAFETY: the storage is zeroed and larger than a `sockaddr_un`, whose path has room for these bytes.
    unsafe {
        SockAddr::try_init(|storage, length| {
            let address = storage.cast::<libc::sockaddr_un>();
            (*address).sun_family = libc::AF_UNIX as libc::sa_family_t;
            let to = (&raw mut (*address).sun_path).cast::<u8>();
            to.copy_from_nonoverlapping(path.as_ptr(), path.len());
            // The name of an abstract socket is as long as the address says.
            *length = if path.first() == Some(&0) {
                (START + path.len()) as libc::socklen_t
            } else {
                size_of::<libc::sockaddr_un>() as libc::socklen_t
            };
            Ok(())
        })
    }
    .map(|((), address)| address)
}

/// The interfaces that zones name.
#[cfg(unix)]
mod zone {
    use std::ffi::{CStr, CString};

    pub(super) fn index(name: &str) -> Option<u32> {
        let name = CString::new(name).ok()?;
        // SAFETY: the name ends with a NUL.
        let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
        (index != 0).then_some(index)
    }

    pub(super) fn name(index: u32) -> Option<String> {
        let mut name = [0; libc::IF_NAMESIZE];
        // SAFETY: there is room for the longest name and its NUL.
        let found = unsafe { libc::if_indextoname(index, name.as_mut_ptr()) };
        if index == 0 || found.is_null() {
            return None;
        }
        // SAFETY: the call ended the name with a NUL.
        let name = unsafe { CStr::from_ptr(name.as_ptr()) };
        name.to_str().ok().map(String::from)
    }
}

/// On Windows a zone is the number of its interface.
#[cfg(not(unix))]
mod zone {
    pub(super) fn index(name: &str) -> Option<u32> {
        name.parse().ok()
    }

    pub(super) fn name(index: u32) -> Option<String> {
        (index != 0).then(|| index.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(ip: &str) -> String {
        Address::from(socket_address(ip, 80).unwrap()).address
    }

    #[test]
    fn shows_addresses_as_they_came() {
        for ip in [
            "127.0.0.1",
            "::",
            "::1",
            "::5.6.7.8",
            "::0.0.0.2",
            "fe80::1",
            "::1:506:708",
            "::ffff:127.0.0.1",
        ] {
            assert_eq!(shown(ip), ip);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn shows_the_zone_of_a_link_local_address() {
        assert_eq!(shown("fe80::1%lo"), "fe80::1%lo");
        assert_eq!(shown("::1%lo"), "::1");
        assert_eq!(shown("fe80::1%no-such"), "fe80::1");
    }

    #[test]
    fn refuses_what_is_no_address() {
        for text in ["", "localhost", "1.2.3", "127.0.0.1%lo", "%lo", "::1%a%b%"] {
            assert_eq!(socket_address(text, 80).is_ok(), text == "::1%a%b%");
        }
    }

    #[cfg(unix)]
    #[test]
    fn cuts_a_path_off_where_the_address_ends() {
        let path = |length: usize| unix_address(&b"x".repeat(length)).unwrap();
        let room = path(1).len() as usize - std::mem::offset_of!(libc::sockaddr_un, sun_path);
        assert_eq!(path(room).len(), path(1).len());
        assert_eq!(path(room + 1), path(room));
        assert_ne!(path(room - 1), path(room));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn takes_the_name_of_an_abstract_socket() {
        let address = unix_address(b"\0name").unwrap();
        assert_eq!(address.as_abstract_namespace(), Some(&b"name"[..]));
    }
}
