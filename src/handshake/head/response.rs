//! A server's `101 Switching Protocols`.

use super::{Form, HeadLimits, HeadParser, is_field_byte};

static RESPONSE: Form = Form {
    prefix: b"HTTP/1.1 101 ",
    text_start: 13,
    is_text_byte: is_field_byte,
    suffix: b"\r\n",
    needs_host: false,
};

impl HeadParser {
    /// A parser of an upgrade response that arrives in pieces.
    pub fn response(limits: HeadLimits) -> Self {
        Self::new(&RESPONSE, limits)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{LIMITS, assert_no_upgrade, flat};
    use super::*;
    use crate::handshake::Parsed;

    #[test]
    fn keeps_reason_names_and_order() {
        for (reason, bytes) in [
            ("Switching Protocols", &b"Switching Protocols"[..]),
            ("nothing", b""),
            ("spaces", b" \ta  b "),
            ("Latin-1", b"caf\xe9"),
        ] {
            let response = [
                b"HTTP/1.1 101 ",
                bytes,
                b"\r\nupgrade:websocket\r\nConnection: x, Upgrade\r\n\
                Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo= \r\n\r\n",
            ]
            .concat();
            let expected = [
                bytes,
                b"\nupgrade\nwebsocket\nConnection\nx, Upgrade\n\
                Sec-WebSocket-Accept\ns3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
            ]
            .concat();
            assert_eq!(flat(HeadParser::response, &response), expected, "{reason}");
        }
    }

    #[test]
    fn needs_no_host_and_takes_one() {
        let response = b"HTTP/1.1 101 \r\nUpgrade: a\r\nHost: b\r\nConnection: upgrade\r\n\r\n";
        assert_eq!(
            flat(HeadParser::response, response),
            b"\nUpgrade\na\nHost\nb\nConnection\nupgrade"
        );
    }

    #[test]
    fn all_else_is_no_upgrade_at_once() {
        for (accepted, next) in [
            (&b""[..], b'G'),
            (b"", b'\r'),
            (b"H", b't'),
            (b"HTTP/1.", b'0'),
            (b"HTTP/1.1 ", b'2'),
            (b"HTTP/1.1 ", b' '),
            (b"HTTP/1.1 10", b'0'),
            (b"HTTP/1.1 101", b'\r'),
            (b"HTTP/1.1 101", b'0'),
            (b"HTTP/1.1 101 a", b'\n'),
            (b"HTTP/1.1 101 a", 0),
            (b"HTTP/1.1 101 a", 0x7f),
            (b"HTTP/1.1 101 a\r", b'a'),
            (b"HTTP/1.1 101 a\r\nContent-Length", b':'),
            (b"HTTP/1.1 101 a\r\nTransfer-Encoding", b':'),
        ] {
            assert_no_upgrade(HeadParser::response, accepted, next);
        }
    }

    #[test]
    fn parses_all_bytes_at_once() {
        let response = b"HTTP/1.1 101 a\r\nUpgrade: b\r\nConnection: upgrade\r\n\r\n\x81\0";
        let parse = |bytes: &[u8]| HeadParser::response(LIMITS).parse(bytes);
        let outcome = parse(response);
        assert!(matches!(outcome, Parsed::Head(_, length) if length == response.len() - 2));
        assert_eq!(parse(b"HTTP/1"), Parsed::Incomplete);
        assert_eq!(parse(b"HTTP/2"), Parsed::NotAnUpgrade);
    }
}
