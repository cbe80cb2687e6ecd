//! A client's upgrade request.

use super::{Form, HeadLimits, HeadParser};

// RFC 6455, section 4.1: "The method of the request MUST be GET, and the HTTP version MUST be at
// least 1.1." The target is in origin-form.
static REQUEST: Form = Form {
    prefix: b"GET /",
    text_start: 4,
    is_text_byte: |byte| byte.is_ascii_graphic(),
    suffix: b" HTTP/1.1\r\n",
    needs_host: true,
};

impl HeadParser {
    /// A parser of an upgrade request that arrives in pieces.
    pub fn request(limits: HeadLimits) -> Self {
        Self::new(&REQUEST, limits)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{LIMITS, assert_no_upgrade, drip, flat};
    use super::*;
    use crate::handshake::Parsed;

    #[test]
    fn keeps_names_order_and_bytes() {
        let request = b"GET /chat?a=%20#b HTTP/1.1\r\n\
            hOsT:server.example.com\r\n\
            Upgrade: websocket\r\n\
            Connection: keep-alive, Upgrade\r\n\
            X-Empty:\r\n\
            X-Spaces: \t \r\n\
            X-Latin: \t caf\xe9 \t \xff, ~\t \r\n\
            __proto__: 1\r\n\
            constructor: 2\r\n\
            constructor: 3\r\n\r\n";
        assert_eq!(
            flat(HeadParser::request, request)
                .escape_ascii()
                .to_string(),
            b"/chat?a=%20#b\n\
            hOsT\nserver.example.com\n\
            Upgrade\nwebsocket\n\
            Connection\nkeep-alive, Upgrade\n\
            X-Empty\n\n\
            X-Spaces\n\n\
            X-Latin\ncaf\xe9 \t \xff, ~\n\
            __proto__\n1\n\
            constructor\n2\n\
            constructor\n3"
                .escape_ascii()
                .to_string()
        );
    }

    #[test]
    fn takes_any_visible_target() {
        let target: Vec<u8> = (b'!'..=b'~').collect();
        let request = [
            b"GET /",
            &target[..],
            b" HTTP/1.1\r\nHost: a\r\nUpgrade: b\r\nConnection: upgrade\r\n\r\n",
        ]
        .concat();
        let flat = flat(HeadParser::request, &request);
        assert!(flat.starts_with(&[b"/", &target[..], b"\nHost\n"].concat()));
    }

    #[test]
    fn all_else_is_no_upgrade_at_once() {
        for (accepted, next) in [
            (&b""[..], b'P'),
            (b"", b'\r'),
            (b"", 0x16),
            (b"G", b'e'),
            (b"GET", b'\t'),
            (b"GET ", b' '),
            (b"GET ", b'*'),
            (b"GET ", b'h'),
            (b"GET /", b'\r'),
            (b"GET /", b'\t'),
            (b"GET /", 0x7f),
            (b"GET /", 0xe9),
            (b"GET / ", b' '),
            (b"GET / HTTP/", b'2'),
            (b"GET / HTTP/1.", b'0'),
            (b"GET / HTTP/1.1", b' '),
            (b"GET / HTTP/1.1", b'\n'),
            (b"GET / HTTP/1.1\r", b'\r'),
        ] {
            assert_no_upgrade(HeadParser::request, accepted, next);
        }
    }

    #[test]
    fn wants_one_host() {
        let upgrade = b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
        let (outcome, fed) = drip(HeadParser::request(LIMITS), upgrade);
        assert_eq!((outcome, fed), (Parsed::NotAnUpgrade, upgrade.len()));
    }

    #[test]
    fn parses_all_bytes_at_once() {
        let request = b"GET / HTTP/1.1\r\nHost:\r\nUpgrade: a\r\nConnection: upgrade\r\n\r\n\x81\0";
        let parse = |bytes: &[u8]| HeadParser::request(LIMITS).parse(bytes);
        let outcome = parse(request);
        assert!(matches!(outcome, Parsed::Head(_, length) if length == request.len() - 2));
        assert_eq!(parse(b"GET"), Parsed::Incomplete);
        assert_eq!(parse(b"PUT"), Parsed::NotAnUpgrade);
    }
}
