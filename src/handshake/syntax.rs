//! What the header fields of the handshake are made of: tokens and separators.

use std::fmt;

/// Why a header field could not be parsed. `Display` gives the text of ws's `SyntaxError`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyntaxError {
    /// The character at this index may not stand there.
    UnexpectedCharacter(usize),
    /// The field ends too early, or in a space.
    UnexpectedEnd,
    /// A subprotocol is named twice.
    DuplicateSubprotocol(String),
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnexpectedCharacter(index) => write!(f, "Unexpected character at index {index}"),
            Self::UnexpectedEnd => f.write_str("Unexpected end of input"),
            Self::DuplicateSubprotocol(name) => {
                write!(f, "The \"{name}\" subprotocol is duplicated")
            }
        }
    }
}

/// Tells whether `byte` may stand in a token (RFC 9110, section 5.6.2: tchar).
pub const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`'
        )
        || matches!(byte, b'|' | b'~')
}

/// Tells whether `byte` is optional white space (RFC 9110, section 5.6.3: OWS).
pub(super) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// A place in a header field. All before it is ASCII, so it is an index in UTF-16 too.
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip(&mut self, accepts: fn(u8) -> bool) {
        while self.peek().is_some_and(accepts) {
            self.at += 1;
        }
    }

    fn unexpected(&self) -> SyntaxError {
        match self.peek() {
            Some(_) => SyntaxError::UnexpectedCharacter(self.at),
            None => SyntaxError::UnexpectedEnd,
        }
    }

    /// Takes `byte` if it comes next.
    pub fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    /// Takes a token.
    pub fn token(&mut self) -> Result<&'a str, SyntaxError> {
        let start = self.at;
        self.skip(is_token_byte);
        if self.at == start {
            return Err(self.unexpected());
        }
        Ok(&self.text[start..self.at])
    }

    /// Takes what follows an opening quote: the text without its escapes.
    pub fn quoted(&mut self) -> Result<String, SyntaxError> {
        // RFC 6455, section 9.1: "When using the quoted-string syntax variant, the value after
        // quoted-string unescaping MUST conform to the 'token' ABNF."
        let mut text = String::new();
        while text.is_empty() || !self.take(b'"') {
            self.take(b'\\');
            match self.peek() {
                Some(byte) if is_token_byte(byte) => text.push(byte.into()),
                _ => return Err(self.unexpected()),
            }
            self.at += 1;
        }
        Ok(text)
    }

    /// Takes one of `separators` and the space around it. `None` at the end of the field.
    pub fn separator(&mut self, separators: &[u8]) -> Result<Option<u8>, SyntaxError> {
        if self.peek().is_none() {
            return Ok(None);
        }
        self.skip(is_space);
        let separator = self.peek().filter(|byte| separators.contains(byte));
        if separator.is_none() {
            return Err(self.unexpected());
        }
        self.at += 1;
        self.skip(is_space);
        Ok(separator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_bytes_are_those_of_the_rfc() {
        let tokens: Vec<u8> = (0..=255).filter(|byte| is_token_byte(*byte)).collect();
        assert_eq!(
            tokens,
            b"!#$%&'*+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz|~"
        );
    }

    #[test]
    fn errors_have_the_text_of_ws() {
        for (error, text) in [
            (
                SyntaxError::UnexpectedCharacter(7),
                "Unexpected character at index 7",
            ),
            (SyntaxError::UnexpectedEnd, "Unexpected end of input"),
            (
                SyntaxError::DuplicateSubprotocol("x".into()),
                "The \"x\" subprotocol is duplicated",
            ),
        ] {
            assert_eq!(error.to_string(), text);
        }
    }
}
