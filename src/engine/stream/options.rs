//! Options of sockets that programs set.

use std::io;
use std::time::Duration;

use socket2::TcpKeepalive;

use super::Stream;

/// When TCP asks a silent peer whether it is there, as libuv has it.
#[derive(Clone, Copy)]
pub struct Probes {
    /// Seconds of silence before the first one; 0: the system's times and count.
    pub delay: u32,
    /// Seconds between two.
    pub interval: u32,
    /// How many go unanswered before the connection is lost.
    pub count: u32,
}

impl From<Probes> for TcpKeepalive {
    fn from(probes: Probes) -> Self {
        let seconds = |count| Duration::from_secs(u64::from(count));
        Self::new()
            .with_time(seconds(probes.delay))
            .with_interval(seconds(probes.interval))
            .with_retries(probes.count)
    }
}

impl Stream {
    /// Nagle's algorithm off or on; nothing to do for Unix sockets.
    pub(crate) fn set_nodelay(&self, on: bool) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.set_nodelay(on),
            #[cfg(unix)]
            Self::Unix(_) => Ok(()),
            Self::Tls(tls) => tls.socket().set_nodelay(on),
        }
    }

    /// TCP keep-alive, or none.
    pub(crate) fn set_keepalive(&self, probes: Option<Probes>) -> io::Result<()> {
        let socket = self.socket();
        socket.set_keepalive(probes.is_some())?;
        match probes {
            Some(probes) if probes.delay > 0 => socket.set_tcp_keepalive(&probes.into()),
            _ => Ok(()),
        }
    }

    /// The type of service, or traffic class, of what is sent.
    pub(crate) fn set_type_of_service(&self, value: u32) -> io::Result<()> {
        let socket = self.socket();
        match self.local_address() {
            Some(address) if address.is_ipv6 => socket.set_tclass_v6(value),
            _ => socket.set_tos_v4(value),
        }
    }

    /// See [`Stream::set_type_of_service`].
    pub(crate) fn type_of_service(&self) -> io::Result<u32> {
        let socket = self.socket();
        match self.local_address() {
            Some(address) if address.is_ipv6 => socket.tclass_v6(),
            _ => socket.tos_v4(),
        }
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use tokio::net::TcpStream;
    use tokio::runtime::Builder;

    use super::*;

    fn with_connected(address: &str, test: impl FnOnce(Stream)) {
        let runtime = Builder::new_current_thread().enable_io().build().unwrap();
        let _context = runtime.enter();
        let listener = std::net::TcpListener::bind((address, 0)).unwrap();
        let to = listener.local_addr().unwrap();
        let stream = std::net::TcpStream::connect(to).unwrap();
        stream.set_nonblocking(true).unwrap();
        test(Stream::Tcp(TcpStream::from_std(stream).unwrap()));
    }

    #[test]
    fn sends_the_probes_that_were_asked_for() {
        with_connected("127.0.0.1", |stream| {
            let probes = |delay, interval, count| Probes {
                delay,
                interval,
                count,
            };
            let of = |stream: &Stream| {
                let socket = stream.socket();
                (
                    socket.keepalive().unwrap(),
                    socket.tcp_keepalive_time().unwrap().as_secs(),
                    socket.tcp_keepalive_interval().unwrap().as_secs(),
                    socket.tcp_keepalive_retries().unwrap(),
                )
            };
            let (_, time, interval, retries) = of(&stream);
            stream.set_keepalive(Some(probes(0, 1, 10))).unwrap();
            assert_eq!(of(&stream), (true, time, interval, retries));
            stream.set_keepalive(Some(probes(30, 1, 10))).unwrap();
            assert_eq!(of(&stream), (true, 30, 1, 10));
            stream.set_keepalive(Some(probes(7, 5, 3))).unwrap();
            assert_eq!(of(&stream), (true, 7, 5, 3));
            stream.set_keepalive(None).unwrap();
            assert_eq!(of(&stream), (false, 7, 5, 3));
        });
    }

    #[test]
    fn has_a_type_of_service_of_either_family() {
        for address in ["127.0.0.1", "::1"] {
            with_connected(address, |stream| {
                stream.set_type_of_service(0x10).unwrap();
                assert_eq!(stream.type_of_service().unwrap(), 0x10);
            });
        }
    }
}
