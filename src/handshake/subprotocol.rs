//! `Sec-WebSocket-Protocol`.

use std::collections::HashSet;

use super::syntax::{Cursor, SyntaxError};

/// Parses the field value of a request into the names it offers, in their order.
pub fn parse(header: &str) -> Result<Vec<String>, SyntaxError> {
    let mut cursor = Cursor::new(header);
    let mut names = Vec::new();
    let mut seen = HashSet::new();
    loop {
        let name = cursor.token()?;
        let is_last = cursor.separator(b",")?.is_none();
        // RFC 6455, section 4.1: "The elements that comprise this value [...] MUST all be unique
        // strings."
        if !seen.insert(name) {
            return Err(SyntaxError::DuplicateSubprotocol(name.to_owned()));
        }
        names.push(name.to_owned());
        if is_last {
            return Ok(names);
        }
    }
}
