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
    fn generates_16_bytes_in_base64_and_others_each_time() {
        let keys: Vec<String> = (0..100).map(|_| generate_key()).collect();
        for (index, key) in keys.iter().enumerate() {
            assert_eq!(key.len(), 24, "{key}");
            assert!(key.ends_with("=="), "{key}");
            assert!(!keys[..index].contains(key));
        }
    }
}
