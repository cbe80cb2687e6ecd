use super::*;

/// Where a text that arrives byte by byte is refused; its length if only the end is missing.
fn refused_at(text: &[u8]) -> Option<usize> {
    let mut validator = Utf8Validator::default();
    for (i, byte) in text.iter().enumerate() {
        if !validator.push(&[*byte]) {
            return Some(i);
        }
    }
    (!validator.is_complete()).then_some(text.len())
}

fn accepts_in_two_pieces(text: &[u8], cut: usize) -> bool {
    let mut validator = Utf8Validator::default();
    validator.push(&text[..cut]) && validator.push(&text[cut..]) && validator.is_complete()
}

#[test]
fn valid_texts() {
    let texts: [&[u8]; 10] = [
        b"",
        b"Hello",
        "κόσμε".as_bytes(),
        "Hello-µ@ßöäüàá-UTF-8!!".as_bytes(),
        b"\x00",
        b"\x7f",
        b"\xc2\x80 \xdf\xbf",
        b"\xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf",
        b"\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf",
        // Noncharacters are characters here.
        b"\xef\xbf\xbe \xf0\x9f\xbf\xbe \xf4\x8f\xbf\xbe",
    ];
    for text in texts {
        assert_eq!(refused_at(text), None, "{text:x?}");
        assert!(is_valid(text));
        for cut in 0..=text.len() {
            assert!(accepts_in_two_pieces(text, cut), "{text:x?} cut at {cut}");
        }
    }
}

#[test]
fn invalid_texts_are_refused_at_the_first_impossible_byte() {
    let texts: [(&[u8], usize); 30] = [
        // Continuation bytes on their own.
        (b"\x80", 0),
        (b"\xbf", 0),
        (b"a\x80\xbf\x80", 1),
        // Lead bytes without their continuation.
        (b"\xc3 ", 1),
        (b"\xe1 ", 1),
        (b"\xe1\x80 ", 2),
        (b"\xf1\x80\x80 ", 3),
        (b"\xf1\xf1", 1),
        // Cut off at the end.
        (b"\xc3", 1),
        (b"\xe1\x80", 2),
        (b"\xf1\x80\x80", 3),
        // Impossible bytes.
        (b"\xfe", 0),
        (b"\xff", 0),
        (b"\xf5", 0),
        (b"\xf8\x88\x80\x80\x80", 0),
        (b"\xfc\x84\x80\x80\x80\x80", 0),
        // Overlong forms.
        (b"\xc0\xaf", 0),
        (b"\xc1\xbf", 0),
        (b"\xe0\x80\xaf", 1),
        (b"\xe0\x9f\xbf", 1),
        (b"\xf0\x80\x80\xaf", 1),
        (b"\xf0\x8f\xbf\xbf", 1),
        // Surrogates.
        (b"\xed\xa0\x80", 1),
        (b"\xed\xad\xbf", 1),
        (b"\xed\xaf\xbf", 1),
        (b"\xed\xbf\xbf", 1),
        (b"\xed\xa0\x80\xed\xb0\x80", 1),
        // Above U+10FFFF.
        (b"\xf4\x90\x80\x80", 1),
        (b"\xf7\xbf\xbf\xbf", 0),
        // The text of Autobahn's case 6.4.1.
        (
            b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xf4\x90\x80\x80\x65\x64",
            12,
        ),
    ];
    for (text, place) in texts {
        assert_eq!(refused_at(text), Some(place), "{text:x?}");
        assert!(!is_valid(text));
        for cut in 0..=text.len() {
            assert!(!accepts_in_two_pieces(text, cut), "{text:x?} cut at {cut}");
        }
    }
}

#[test]
fn a_piece_fails_as_soon_as_its_bytes_do() {
    let mut validator = Utf8Validator::default();
    assert!(validator.push(b"\xf4"));
    assert!(!validator.push(b"\x90"));
    // In one piece with valid text before it, short or long.
    for before in [0, 1, 40, 100, 1000] {
        let mut text = vec![b'a'; before];
        text.extend(b"\xf4\x90");
        assert!(!Utf8Validator::default().push(&text));
    }
}

#[test]
fn long_texts_are_cut_anywhere() {
    let text = "a€𝄞ß".repeat(40);
    for cut in 0..text.len() {
        assert!(accepts_in_two_pieces(text.as_bytes(), cut));
    }
}
