//! Text that is cut over fragments and chunks anywhere: reported whole, or refused at the first byte that no other can
//! mend.

use super::*;
use crate::protocol::{FrameFlags, sender};

const VALID: [&[u8]; 6] = [
    "aé€𝄞z".as_bytes(),
    b"\xc2\x80\xdf\xbf",
    b"\xe0\xa0\x80\xed\x9f\xbf",
    b"\xee\x80\x80\xef\xbf\xbf",
    b"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
    b"\xef\xbb\xbf\xef\xbf\xbe",
];

const INVALID: [&[u8]; 22] = [
    b"a\x80z",
    b"\xce\xba\xbf",
    b"\xc3a",
    b"\xe2\x82a",
    b"\xf0\x9d\x84a",
    b"\xe2\xe2\x82\xac",
    b"\xce\xba\xfe",
    b"\xff\xce\xba",
    b"\xf5\x80\x80\x80",
    b"\xf8\x88\x80\x80\x80",
    // Overlong.
    b"\xc0\x80",
    b"\xc1\xbf",
    b"\xe0\x80\xaf",
    b"\xe0\x9f\xbf",
    b"\xf0\x8f\xbf\xbf",
    // Surrogates, one and a pair.
    b"a\xed\xa0\x80",
    b"\xed\xa0\xbd\xed\xb8\x80",
    // Beyond U+10FFFF.
    b"\xf4\x90\x80\x80",
    b"\xce\xba\xf7\xbf\xbf\xbf",
    // Cut off.
    b"\xce\xba\xc3",
    b"\xe2\x82",
    b"\xf0\x9d\x84",
];

/// A text as frames, and where in them each of its bytes lies.
#[derive(Default)]
struct Frames {
    bytes: Vec<u8>,
    places: Vec<usize>,
}

impl Frames {
    fn push(&mut self, setup: Setup, first: u8, payload: &[u8]) {
        let masked = match setup.role {
            Role::Server => FrameFlags::KEY,
            Role::Client => FrameFlags::from(0),
        };
        let flags = FrameFlags::from(u32::from(first)) | masked;
        sender::append_frame(&mut self.bytes, payload, flags, *b"\x37\xfa\x21\x3d");
    }

    /// Fragments that end where `cuts` say, with a ping after each but the last.
    fn of(setup: Setup, text: &[u8], cuts: &[usize]) -> Self {
        let mut frames = Self::default();
        let mut start = 0;
        for (index, end) in cuts.iter().copied().chain([text.len()]).enumerate() {
            let is_last = index == cuts.len();
            let first = u8::from(index == 0) | if is_last { 0x80 } else { 0 };
            frames.push(setup, first, &text[start..end]);
            let payload = frames.bytes.len() - (end - start);
            frames.places.extend(payload..frames.bytes.len());
            start = end;
            if !is_last {
                frames.push(setup, 0x89, b"");
            }
        }
        frames
    }
}

/// The text whole, and cut in all ways over two and three fragments.
fn all_cuts(setup: Setup, text: &[u8]) -> Vec<Frames> {
    let mut all = vec![Frames::of(setup, text, &[])];
    for second in 0..=text.len() {
        all.push(Frames::of(setup, text, &[second]));
        all.extend((0..=second).map(|first| Frames::of(setup, text, &[first, second])));
    }
    all
}

#[test]
fn whole_characters_arrive_however_they_are_cut() {
    for setup in [CLIENT, SERVER] {
        for text in VALID {
            for Frames { bytes, .. } in all_cuts(setup, text) {
                for size in 1..=bytes.len() {
                    let (events, result, _) = setup.run_in_chunks(&bytes, size);
                    assert_eq!(result, Ok(()), "{bytes:x?} by {size}");
                    let Some(Event::Text(got, _)) = events.last() else {
                        panic!("{bytes:x?} by {size} gave {events:?}");
                    };
                    assert_eq!(got, text);
                }
            }
        }
    }
}

#[test]
fn broken_characters_are_refused_where_they_break() {
    for setup in [CLIENT, SERVER] {
        for text in INVALID {
            // What std knows of each beginning.
            let broken = (1..=text.len()).find(|end| {
                let known = std::str::from_utf8(&text[..*end]);
                known.is_err_and(|error| error.error_len().is_some())
            });
            for Frames { bytes, places } in all_cuts(setup, text) {
                let at = broken.map_or(bytes.len(), |end| places[end - 1] + 1);
                for size in 1..=bytes.len() {
                    let (events, result, taken) = setup.run_in_chunks(&bytes, size);
                    assert_eq!(result, Err(Violation::InvalidUtf8), "{bytes:x?} by {size}");
                    assert_eq!(taken, at.next_multiple_of(size).min(bytes.len()));
                    assert!(events.iter().all(|event| matches!(event, Event::Ping(_))));
                }
            }
        }
    }
}
