//! What the header fields of the handshake are made of.

/// Tells whether `byte` may stand in a token (RFC 9110, section 5.6.2: tchar).
pub const fn is_token_byte(byte: u8) -> bool {
    matches!(byte,
        b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'0'..=b'9' | b'A'..=b'Z' | b'^'..=b'z' | b'|' | b'~')
}

/// Tells whether `text` is a token: at least one byte, all of them token bytes.
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
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
    fn a_token_has_at_least_one_byte() {
        assert!(is_token("chat.v1"));
        assert!(is_token("__proto__"));
        for text in ["", "a b", "a,b", "a/b", "\u{e9}", "a\0"] {
            assert!(!is_token(text), "{text:?}");
        }
    }
}
