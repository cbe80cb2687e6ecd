//! `Sec-WebSocket-Key` and `Sec-WebSocket-Accept`.

use tungstenite::handshake::{client, derive_accept_key};

/// The `Sec-WebSocket-Accept` value that answers `key` (RFC 6455, section 4.2.2).
pub fn accept_key(key: &[u8]) -> String {
    derive_accept_key(key)
}

/// A new `Sec-WebSocket-Key`: 16 random bytes in base64.
pub fn generate_key() -> String {
    client::generate_key()
}

/// Tells whether `key` has the form of 16 bytes in base64: 22 characters and `==`.
pub fn is_valid_key(key: &str) -> bool {
    key.strip_suffix("==").is_some_and(|digits| {
        digits.len() == 22
            && digits
                .bytes()
                .all(|byte| matches!(byte, b'+' | b'/') || byte.is_ascii_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_the_key_of_the_rfc() {
        assert_eq!(
            accept_key(b"dGhlIHNhbXBsZSBub25jZQ=="),
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        );
    }

    #[test]
    fn generates_valid_and_different_keys() {
        let keys: Vec<String> = (0..100).map(|_| generate_key()).collect();
        for (index, key) in keys.iter().enumerate() {
            assert!(is_valid_key(key), "{key}");
            assert!(!keys[..index].contains(key));
        }
    }

    #[test]
    fn knows_a_valid_key_by_its_form() {
        assert!(is_valid_key("dGhlIHNhbXBsZSBub25jZQ=="));
        assert!(is_valid_key("++++++++++//////////AZ=="));
        for key in [
            "",
            "==",
            "dGhlIHNhbXBsZSBub25jZQ",
            "dGhlIHNhbXBsZSBub25jZQ=",
            "dGhlIHNhbXBsZSBub25jZQ===",
            "dGhlIHNhbXBsZSBub25jZ==",
            "dGhlIHNhbXBsZSBub25jZQQ==",
            "dGhlIHNhbXBsZSBub25jZ-==",
            "dGhlIHNhbXBsZSBub25jZQ==\n",
            " GhlIHNhbXBsZSBub25jZQ==",
            "dGhlIHNhbXBsZSBub25j\u{e9}==",
        ] {
            assert!(!is_valid_key(key), "{key:?}");
        }
    }
}
