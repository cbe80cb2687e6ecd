//! The opening handshake (RFC 6455, section 4).

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};

use sha1_smol::Sha1;

use crate::Failure;
use crate::transport::Transport;

/// The example of RFC 6455, section 1.3: with a fixed key the answer is known.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// An upgrade request; `extensions` is the value of Sec-WebSocket-Extensions.
pub fn request(port: u16, extensions: Option<&str>) -> String {
    let extensions = extensions.map_or_else(String::new, |value| {
        format!("Sec-WebSocket-Extensions: {value}\r\n")
    });
    format!(
        "GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{extensions}\r\n"
    )
}

/// Where the servers listen.
pub fn address(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// Whether `head` is a complete response; fails unless it accepts.
pub fn is_accepted(head: &[u8]) -> Result<bool, Failure> {
    let Some(end) = head.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(false);
    };
    let text = String::from_utf8_lossy(head);
    if !text.starts_with("HTTP/1.1 101 ") || field(&text, "sec-websocket-accept") != Some(ACCEPT) {
        return Err(format!(
            "the server refused: {}",
            text.lines().next().unwrap_or_default()
        )
        .into());
    }
    if head.len() > end + 4 {
        return Err("the server sent more than its response".into());
    }
    Ok(true)
}

/// The value of a header field.
pub fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let split = |line: &'a str| line.split_once(':');
    let mut fields = head.lines().filter_map(split);
    let is_it = |(key, _): &(&str, &str)| key.eq_ignore_ascii_case(name);
    fields.find(is_it).map(|(_, value)| value.trim())
}

/// A connection, blocking, and the extensions the server agreed to.
pub fn dial<T: Transport>(port: u16, offer: Option<&str>) -> Result<(T, Option<String>), Failure> {
    let socket = TcpStream::connect(address(port))?;
    socket.set_nodelay(true)?;
    let mut stream = T::over(socket)?;
    stream.write_all(request(port, offer).as_bytes())?;
    let mut head = Vec::new();
    while !is_accepted(&head)? {
        let mut buffer = [0; 4096];
        match stream.read(&mut buffer) {
            Ok(0) => return Err("the server closed the connection".into()),
            Ok(count) => head.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    let text = String::from_utf8_lossy(&head);
    let extensions = field(&text, "sec-websocket-extensions").map(str::to_owned);
    Ok((stream, extensions))
}

/// The value of Sec-WebSocket-Accept for a key.
pub fn accept_key(key: &str) -> String {
    let digest = Sha1::from([key, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"].concat()).digest();
    base64(&digest.bytes())
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for part in bytes.chunks(3) {
        let group = |index: usize| u32::from(part.get(index).copied().unwrap_or_default());
        let bits = group(0) << 16 | group(1) << 8 | group(2);
        for index in 0..4 {
            let letter = ALPHABET[(bits >> (18 - 6 * index) & 63) as usize];
            text.push(if index <= part.len() {
                letter as char
            } else {
                '='
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc() {
        assert_eq!(accept_key(KEY), ACCEPT);
    }
}
