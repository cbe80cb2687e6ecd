//! A client's upgrade request.

use super::head::{Form, Head, HeadLimits, HeadParser, Outcome};

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

/// Parses an upgrade request from all bytes received so far.
pub fn parse_request(bytes: &[u8], limits: &HeadLimits) -> Outcome<Head> {
    HeadParser::request(*limits).parse(bytes)
}
