use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

pub(crate) const LIMITS: HeadLimits = HeadLimits {
    max_bytes: 1000,
    max_lines: 10,
};

/// Feeds `bytes` one at a time: the outcome and how many bytes it took.
pub(crate) fn drip(mut parser: HeadParser, bytes: &[u8]) -> (Parsed, usize) {
    for end in 0..bytes.len() {
        let outcome = parser.parse(&bytes[..end]);
        if outcome != Parsed::Incomplete {
            return (outcome, end);
        }
    }
    (parser.parse(bytes), bytes.len())
}

/// The flat form of the head that `bytes` hold, however they are cut.
pub(crate) fn flat(parser: fn(HeadLimits) -> HeadParser, bytes: &[u8]) -> Vec<u8> {
    let (dripped, fed) = drip(parser(LIMITS), bytes);
    let Parsed::Head(head, length) = parser(LIMITS).parse(bytes) else {
        panic!("no head in {}", bytes.escape_ascii());
    };
    let flat = head.flat(bytes);
    assert_eq!(fed, length);
    assert_eq!(dripped, Parsed::Head(head, length));
    flat
}

/// Asserts that `accepted` may go on, and that with `next` it is at once no upgrade.
pub(crate) fn assert_no_upgrade(parser: fn(HeadLimits) -> HeadParser, accepted: &[u8], next: u8) {
    let bytes = [accepted, &[next]].concat();
    assert_eq!(
        drip(parser(LIMITS), &bytes),
        (Parsed::NotAnUpgrade, bytes.len()),
        "{}",
        bytes.escape_ascii()
    );
    assert_eq!(parser(LIMITS).parse(&bytes), Parsed::NotAnUpgrade);
}

const HEAD: &[u8] =
    b"GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";

#[test]
fn a_head_ends_at_the_empty_line() {
    for end in 0..HEAD.len() {
        let outcome = HeadParser::request(LIMITS).parse(&HEAD[..end]);
        assert_eq!(outcome, Parsed::Incomplete, "{end}");
    }
    let followed = [HEAD, b"\x81\x80\r\n\r\n"].concat();
    for bytes in [HEAD, &followed] {
        let outcome = HeadParser::request(LIMITS).parse(bytes);
        assert!(matches!(outcome, Parsed::Head(_, length) if length == HEAD.len()));
    }
}

#[test]
fn a_line_that_cannot_be_clean_is_foreign_at_once() {
    let start = b"GET / HTTP/1.1\r\n";
    for (line, next) in [
        (&b""[..], b'\n'),
        (b"", b' '),
        (b"", b'\t'),
        (b"", b':'),
        (b"", 0),
        (b"\r", b'\r'),
        (b"\r", b'a'),
        (b"Name", b' '),
        (b"Name", b'\r'),
        (b"Name", b'\n'),
        (b"Name", b'@'),
        (b"Name", 0xe9),
        (b"Name:", b'\n'),
        (b"Name: \t", 0),
        (b"Name: a", b'\n'),
        (b"Name: a", 0),
        (b"Name: a", 0x1f),
        (b"Name: a", 0x7f),
        (b"Name: a\r", b' '),
        (b"Name: a\r", b'\r'),
        (b"Name: a\r\n", b' '),
        (b"Name: a\r\n", b'\t'),
        (b"Content-Length", b':'),
        (b"TRANSFER-ENCODING", b':'),
        (b"trailer", b':'),
        (b"Expect", b':'),
        (b"Host: a\r\nhost", b':'),
    ] {
        assert_no_upgrade(HeadParser::request, &[start, line].concat(), next);
    }
    let (all_but_the_end, _) = HEAD.split_at(HEAD.len() - 2);
    assert_no_upgrade(HeadParser::request, all_but_the_end, b'\n');
}

#[test]
fn only_an_upgrade_is_taken() {
    for (fields, is_upgrade) in [
        ("Upgrade: h2c\r\nConnection: Upgrade", true),
        ("upgrade: x\r\nCONNECTION:UPGRADE", true),
        ("Upgrade: x\r\nConnection: keep-alive, Upgrade", true),
        ("Upgrade: x\r\nConnection: a b , upgrade , close", true),
        ("Upgrade: x\r\nConnection: ,,upgrade,,", true),
        (
            "Upgrade: x\r\nConnection: close\r\nConnection: upgrade",
            true,
        ),
        ("Upgrade:\r\nUpgrade: x\r\nConnection:\t upgrade", true),
        ("Connection: Upgrade", false),
        ("Upgrade: x", false),
        ("Upgrade:\r\nConnection: Upgrade", false),
        ("Upgrade: \t\r\nConnection: Upgrade", false),
        ("Upgrade: x\r\nConnection: keep-alive", false),
        ("Upgrade: x\r\nConnection: upgrade foo", false),
        ("Upgrade: x\r\nConnection: upgraded", false),
        ("Upgrade: x\r\nConnection: foo,\tupgrade", false),
        ("Upgrade: x\r\nConnection: upgrade\t", false),
        ("Upgrade: x\r\nProxy-Connection: upgrade", false),
    ] {
        let head = format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n").into_bytes();
        let (outcome, fed) = drip(HeadParser::request(LIMITS), &head);
        assert_eq!(matches!(outcome, Parsed::Head(..)), is_upgrade, "{fields}");
        assert_eq!(fed, head.len());
    }
}

#[test]
fn a_head_has_at_most_max_bytes() {
    let limits = |max_bytes| HeadLimits {
        max_bytes,
        ..LIMITS
    };
    let parse = |max_bytes, bytes| HeadParser::request(limits(max_bytes)).parse(bytes);
    assert!(matches!(parse(HEAD.len(), HEAD), Parsed::Head(..)));
    assert_eq!(parse(HEAD.len() - 1, HEAD), Parsed::NotAnUpgrade);
    let (outcome, fed) = drip(HeadParser::request(limits(20)), HEAD);
    assert_eq!((outcome, fed), (Parsed::NotAnUpgrade, 20));
}

#[test]
fn a_head_has_at_most_max_lines() {
    let limits = |max_lines| HeadLimits {
        max_lines,
        ..LIMITS
    };
    let outcome = HeadParser::request(limits(3)).parse(HEAD);
    assert!(matches!(outcome, Parsed::Head(..)));
    let (outcome, fed) = drip(HeadParser::request(limits(2)), HEAD);
    assert_eq!(outcome, Parsed::NotAnUpgrade);
    assert!(HEAD[..fed].ends_with(b"websocket\r\nC"));
}

#[test]
fn the_limits_are_those_of_node() {
    let limits = HeadLimits::default();
    assert_eq!((limits.max_bytes, limits.max_lines), (16_384, 1_000));
}

#[test]
fn a_spent_parser_says_foreign() {
    let mut parser = HeadParser::request(LIMITS);
    assert!(matches!(parser.parse(HEAD), Parsed::Head(..)));
    assert_eq!(parser.parse(HEAD), Parsed::NotAnUpgrade);

    let mut parser = HeadParser::request(LIMITS);
    assert_eq!(parser.parse(b"P"), Parsed::NotAnUpgrade);
    assert_eq!(parser.parse(HEAD), Parsed::NotAnUpgrade);
}

/// Lines that are often accepted, and bytes that are often not.
fn head() -> impl Strategy<Value = Vec<u8>> {
    let start = select(vec![
        &b"GET /a?b HTTP/1.1\r\n"[..],
        b"HTTP/1.1 101 Fine\r\n",
        b"GET /",
    ]);
    let line = select(vec![
        &b"Host: a\r\n"[..],
        b"Upgrade: websocket\r\n",
        b"Connection: Upgrade\r\n",
        b"connection:x, \tupgrade \r\n",
        b"Empty:\r\n",
        b"Name: \t\xe9 \t b \r\n",
        b"Expect: x\r\n",
        b"\r\n",
    ]);
    let lines = vec(line, 0..8);
    let junk = vec(any::<u8>(), 0..3);
    (
        start,
        lines,
        junk,
        any::<bool>(),
        any::<prop::sample::Index>(),
    )
        .prop_map(|(start, lines, junk, is_upgrade, place)| {
            let upgrade = b"Host: a\r\nUpgrade: a\r\nConnection: upgrade\r\n";
            let head = [
                start,
                if is_upgrade { upgrade } else { b"" },
                &lines.concat(),
            ]
            .concat();
            let (before, after) = head.split_at(place.index(head.len()));
            [before, &junk, after, b"\r\n"].concat()
        })
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in vec(any::<u8>(), 0..200)) {
        HeadParser::request(LIMITS).parse(&bytes);
        HeadParser::response(LIMITS).parse(&bytes);
    }

    #[test]
    fn the_outcome_is_that_of_any_chunking(bytes in head(), step in 1..50_usize) {
        for new in [HeadParser::request, HeadParser::response] {
            let whole = new(LIMITS).parse(&bytes);
            let (dripped, _) = drip(new(LIMITS), &bytes);
            prop_assert_eq!(&dripped, &whole);

            let mut parser = new(LIMITS);
            let ends = (step..bytes.len()).step_by(step).chain([bytes.len()]);
            let chunked = ends
                .map(|end| parser.parse(&bytes[..end]))
                .find(|outcome| *outcome != Parsed::Incomplete);
            prop_assert_eq!(chunked.unwrap_or(Parsed::Incomplete), whole);
        }
    }

    #[test]
    fn httparse_reads_the_same(bytes in head()) {
        let mut fields = [httparse::EMPTY_HEADER; 20];
        if let Parsed::Head(head, length) = HeadParser::request(LIMITS).parse(&bytes) {
            let mut request = httparse::Request::new(&mut fields);
            prop_assert_eq!(request.parse(&bytes), Ok(httparse::Status::Complete(length)));
            let target = request.path.unwrap_or_default();
            prop_assert_eq!(head.flat(&bytes), join(target, request.headers));
        }
    }
}

fn join(text: &str, fields: &[httparse::Header<'_>]) -> Vec<u8> {
    let mut flat = text.as_bytes().to_vec();
    for field in fields {
        flat.extend([b"\n", field.name.as_bytes(), b"\n", field.value].concat());
    }
    flat
}
