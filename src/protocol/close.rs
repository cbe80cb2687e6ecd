//! The payload of a close frame (RFC 6455, section 5.5.1).

use super::utf8;
use super::violation::Violation;

/// What a close frame without a body means. Never on the wire.
pub const NO_STATUS: u16 = 1005;

/// Whether an endpoint may put `code` into a close frame: the registered codes (RFC 6455, section
/// 7.4.1, and the IANA registry up to 1014) and those of libraries and applications.
pub fn is_valid_close_code(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

/// Splits the payload into status code and reason; [`NO_STATUS`] for an empty one.
pub fn parse(payload: &[u8], skip_utf8_validation: bool) -> Result<(u16, &[u8]), Violation> {
    let Some((code, reason)) = payload.split_first_chunk() else {
        return match payload.len() {
            0 => Ok((NO_STATUS, payload)),
            _ => Err(Violation::InvalidControlPayloadLength(1)),
        };
    };
    let code = u16::from_be_bytes(*code);
    if !is_valid_close_code(code) {
        return Err(Violation::InvalidCloseCode(code));
    }
    if !skip_utf8_validation && !utf8::is_valid(reason) {
        return Err(Violation::InvalidUtf8);
    }
    Ok((code, reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_codes() {
        let valid: Vec<u16> = (0..=u16::MAX).filter(|&c| is_valid_close_code(c)).collect();
        let mut expected = vec![1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012];
        expected.extend([1013, 1014]);
        expected.extend(3000..=4999);
        assert_eq!(valid, expected);
    }

    #[test]
    fn payloads() {
        assert_eq!(parse(b"", false), Ok((1005, &b""[..])));
        assert_eq!(parse(b"\x03\xe8", false), Ok((1000, &b""[..])));
        assert_eq!(parse(b"\x0f\xa0bye", false), Ok((4000, &b"bye"[..])));
        let reason = "tschüß".as_bytes();
        let payload = [b"\x03\xe9", reason].concat();
        assert_eq!(parse(&payload, false), Ok((1001, reason)));
    }

    #[test]
    fn bad_payloads() {
        let cases: [(&[u8], Violation); 6] = [
            (b"\x03", Violation::InvalidControlPayloadLength(1)),
            (b"\x00\x00", Violation::InvalidCloseCode(0)),
            (b"\x03\xed", Violation::InvalidCloseCode(1005)),
            (b"\x13\x88", Violation::InvalidCloseCode(5000)),
            (b"\x03\xe8\xc3", Violation::InvalidUtf8),
            // The code is looked at first.
            (b"\x03\xe7\xff", Violation::InvalidCloseCode(999)),
        ];
        for (payload, violation) in cases {
            assert_eq!(parse(payload, false), Err(violation), "{payload:x?}");
        }
    }

    #[test]
    fn a_reason_is_taken_as_it_is_on_demand() {
        assert_eq!(parse(b"\x03\xe8\xff", true), Ok((1000, &b"\xff"[..])));
    }
}
