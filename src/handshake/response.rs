//! A server's `101 Switching Protocols`.

use super::head::{Form, Head, HeadLimits, HeadParser, Outcome, is_field_byte};

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

/// Parses an upgrade response from all bytes received so far.
pub fn parse_response(bytes: &[u8], limits: &HeadLimits) -> Outcome<Head> {
    HeadParser::response(*limits).parse(bytes)
}
