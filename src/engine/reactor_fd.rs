//! Finds the epoll descriptor of the current runtime. tokio does not expose it.

/// The epoll descriptor that watches the sockets of the runtime whose context we are in.
///
/// Certain rather than lucky: a descriptor of our own is registered with the runtime, and Linux lists the descriptors
/// each epoll instance watches in `/proc/self/fdinfo`.
#[cfg(target_os = "linux")]
pub(super) fn find() -> Option<i32> {
    use std::os::fd::AsRawFd;

    let (probe, _peer) = tokio::net::UnixStream::pair().ok()?;
    let watched = probe.as_raw_fd().to_string();
    let watches_probe = |info: &str| {
        info.lines().any(|line| {
            line.strip_prefix("tfd:")
                .and_then(|rest| rest.split_whitespace().next())
                == Some(watched.as_str())
        })
    };
    std::fs::read_dir("/proc/self/fdinfo")
        .ok()?
        .filter_map(Result::ok)
        .filter(|entry| {
            std::fs::read_to_string(entry.path()).is_ok_and(|info| watches_probe(&info))
        })
        .find_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Not to be had on this platform: the runtime is driven by a thread of its own.
#[cfg(not(target_os = "linux"))]
pub(super) fn find() -> Option<i32> {
    None
}
