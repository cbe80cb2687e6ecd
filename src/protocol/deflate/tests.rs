use super::*;
use crate::protocol::violation::InflateFault;
use crate::protocol::violation::Violation;

const DEFLATE: DeflateParams = DeflateParams {
    window_bits: 15,
    no_context_takeover: false,
    level: -1,
    mem_level: 8,
    strategy: 0,
};

const INFLATE: InflateParams = InflateParams {
    window_bits: 15,
    no_context_takeover: false,
};

fn compress(deflater: &mut Deflater, data: &[u8]) -> Vec<u8> {
    let mut out = b"before".to_vec();
    deflater.compress(data, true, &mut out);
    assert_eq!(out[..6], *b"before");
    out.split_off(6)
}

fn inflate(inflater: &mut Inflater, data: &[u8], fin: bool) -> Result<Vec<u8>, Violation> {
    let mut out = b"before".to_vec();
    inflater.inflate(data, fin, 0, &mut out)?;
    assert_eq!(out[..6], *b"before");
    Ok(out.split_off(6))
}

/// The messages, each inflated by the same inflater.
fn inflated<const N: usize>(messages: [&[u8]; N]) -> [Vec<u8>; N] {
    let mut inflater = Inflater::new(INFLATE);
    messages.map(|message| inflate(&mut inflater, message, true).expect("a deflate stream"))
}

mod examples {
    //! RFC 7692, section 7.2.3.

    use super::*;

    #[test]
    fn one_block() {
        assert_eq!(inflated([b"\xf2\x48\xcd\xc9\xc9\x07\x00"]), [b"Hello"]);
        let mut deflater = Deflater::new(DEFLATE);
        assert_eq!(
            compress(&mut deflater, b"Hello"),
            b"\xf2\x48\xcd\xc9\xc9\x07\x00"
        );
    }

    #[test]
    fn two_frames() {
        let mut inflater = Inflater::new(INFLATE);
        let first = inflate(&mut inflater, b"\xf2\x48\xcd", false);
        let second = inflate(&mut inflater, b"\xc9\xc9\x07\x00", true);
        let message = [first.expect("a begin"), second.expect("an end")].concat();
        assert_eq!(message, b"Hello");
    }

    #[test]
    fn shared_window() {
        assert_eq!(
            inflated([b"\xf2\x48\xcd\xc9\xc9\x07\x00", b"\xf2\x00\x11\x00\x00"]),
            [b"Hello", b"Hello"]
        );
    }

    #[test]
    fn stored_block() {
        assert_eq!(
            inflated([b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"]),
            [b"Hello"]
        );
    }

    #[test]
    fn final_block() {
        assert_eq!(
            inflated([
                b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00",
                b"\xf2\x48\xcd\xc9\xc9\x07\x00"
            ]),
            [b"Hello", b"Hello"]
        );
    }

    #[test]
    fn two_blocks() {
        assert_eq!(
            inflated([b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"]),
            [b"Hello"]
        );
    }

    #[test]
    fn empty_message() {
        assert_eq!(inflated([b"\x00", b"\x00"]), [b"", b""]);
        let mut deflater = Deflater::new(DEFLATE);
        assert_eq!(compress(&mut deflater, b""), b"\x00");
        assert_eq!(compress(&mut deflater, b""), b"\x00");
        compress(&mut deflater, b"Hello");
        assert_eq!(compress(&mut deflater, b""), b"\x00");
    }
}

#[test]
fn empty_fragments() {
    let mut deflater = Deflater::new(DEFLATE);
    let mut out = Vec::new();
    for (data, fin) in [
        (&b""[..], false),
        (b"Hello", false),
        (b"", false),
        (b"", true),
    ] {
        deflater.compress(data, fin, &mut out);
    }
    assert_eq!(inflated([&out]), [b"Hello"]);
}

#[test]
fn what_follows_a_final_block_is_left_out_and_a_new_stream_begins() {
    let whole = &b"\xf3\x48\xcd\xc9\xc9\x07\x00"[..];
    let mut inflater = Inflater::new(INFLATE);
    let mut step = |data: &[u8], fin| inflate(&mut inflater, data, fin).expect("no fault");
    // In the same frame, whatever it is.
    assert_eq!(step(&[whole, b"\xff\xff\xff"].concat(), true), b"Hello");
    assert_eq!(step(whole, true), b"Hello");
    // The next frame of the message is left out, too, and the one after that is not.
    assert_eq!(step(whole, false), b"Hello");
    assert_eq!(step(whole, false), b"");
    assert_eq!(step(whole, true), b"Hello");
    // A final block that the appended tail completes leaves nothing behind in its frame.
    assert_eq!(step(b"\x01", true), b"");
    assert_eq!(step(whole, true), b"");
    assert_eq!(step(whole, true), b"Hello");
}

#[test]
fn faults_have_the_texts_of_zlib() {
    let streams: [(&[u8], &str); 14] = [
        (b"\x06", "invalid block type"),
        (b"\x00\x00\x00\x00\x00", "invalid stored block lengths"),
        (b"\xfc\x00\x00", "too many length or distance symbols"),
        (b"\x04\x00\xfe\xff", "invalid code lengths set"),
        (b"\x04\x00\x24\x49\x00", "invalid bit length repeat"),
        (b"\x04\x00\x24\xe9\xff\xff", "invalid bit length repeat"),
        (
            b"\x04\x00\x24\xe9\xff\x6d",
            "invalid code -- missing end-of-block",
        ),
        (
            b"\x04\x80\x49\x92\x24\x49\x92\x24\x71\xff\xff\x93\x11\x00",
            "invalid literal/lengths set",
        ),
        (
            b"\x04\x80\x49\x92\x24\x49\x92\x24\x0f\xb4\xff\xff\xc3\x84",
            "invalid distances set",
        ),
        (
            b"\x04\xc0\x81\x08\x00\x00\x00\x00\x20\x7f\xeb\x0b\x00\x00",
            "invalid literal/length code",
        ),
        (b"\x02\x7e\xff\xff", "invalid distance code"),
        (
            b"\x0c\xc0\x81\x00\x00\x00\x00\x00\x90\xff\x6b\x04\x00",
            "invalid distance too far back",
        ),
        // The second message of the RFC's example without the first: a window that is not there.
        (b"\xf2\x00\x11\x00\x00", "invalid distance too far back"),
        // The same with room for zlib's fast loop.
        (
            &[&b"\xf2\x00\x11\x00\x00"[..], &[0; 200]].concat(),
            "invalid distance too far back",
        ),
    ];
    for (stream, text) in streams {
        let violation = inflate(&mut Inflater::new(INFLATE), stream, true);
        let Err(Violation::Inflate(fault)) = violation else {
            panic!("{stream:x?}: {violation:?}");
        };
        assert_eq!(
            InflateFault::TEXTS[usize::from(fault.index())],
            text,
            "{stream:x?}"
        );
    }
}

#[test]
fn any_other_fault_has_the_last_text() {
    for text in [None, Some("insufficient memory"), Some("Zlib error")] {
        assert_eq!(InflateFault::new(text).index(), 11);
    }
}

#[test]
fn a_block_that_is_cut_short_takes_the_tail_for_its_own() {
    assert_eq!(inflated([b"\xf2\x48\xcd"]), [b"Heh"]);
}

#[test]
fn a_frame_gives_all_that_its_bytes_say() {
    let message = compress(&mut Deflater::new(DEFLATE), &[b'a'; 100_000]);
    for cut in 0..message.len() {
        let mut inflater = Inflater::new(INFLATE);
        let first = inflate(&mut inflater, &message[..cut], false).expect("a begin");
        let second = inflate(&mut inflater, &message[cut..], true).expect("an end");
        assert_eq!(first.len() + second.len(), 100_000);

        let mut zlib = zlib_rs::Inflate::new(false, 15);
        let mut room = vec![0; 200_000];
        let flush = zlib_rs::InflateFlush::SyncFlush;
        assert!(zlib.decompress(&message[..cut], &mut room, flush).is_ok());
        assert_eq!(first.len() as u64, zlib.total_out());
    }
}

#[test]
fn limits() {
    let mut deflater = Deflater::new(DEFLATE);
    for len in [1, 5, 255, 256, 257, 40_000, 1_000_000] {
        let message = compress(&mut Deflater::new(DEFLATE), &vec![b'a'; len]);
        let inflate = |limit: usize| {
            let mut out = Vec::new();
            let result = Inflater::new(INFLATE).inflate(&message, true, limit as u64, &mut out);
            assert!(out.len() <= limit + 1);
            result.map(|()| out.len())
        };
        assert_eq!(inflate(len), Ok(len));
        assert_eq!(inflate(len + 1), Ok(len));
        for limit in [1, len / 2, len - 1] {
            if (1..len).contains(&limit) {
                assert_eq!(inflate(limit), Err(Violation::UnsupportedMessageLength));
            }
        }
    }
    // What is in `out` already counts.
    let message = compress(&mut deflater, b"Hello");
    let mut out = vec![0; 5];
    let mut inflater = Inflater::new(INFLATE);
    assert_eq!(inflater.inflate(&message, true, 10, &mut out), Ok(()));
    let result = inflater.inflate(&message, true, 10, &mut out);
    assert_eq!(result, Err(Violation::UnsupportedMessageLength));
}

#[test]
fn a_limit_bounds_what_is_reserved() {
    let message = compress(&mut Deflater::new(DEFLATE), &vec![0; 50_000_000]);
    let mut out = Vec::new();
    let result = Inflater::new(INFLATE).inflate(&message, true, 100_000, &mut out);
    assert_eq!(result, Err(Violation::UnsupportedMessageLength));
    assert!(out.capacity() <= 100_001);
}

#[test]
fn contexts_are_carried_over_or_not() {
    let data = b"a message that is long enough to be worth a reference";
    let mut carrying = Deflater::new(DEFLATE);
    let first = compress(&mut carrying, data);
    let second = compress(&mut carrying, data);
    assert!(second.len() < first.len() / 2);
    assert_eq!(inflated([&first, &second]), [data, data]);

    let mut fresh = Deflater::new(DeflateParams {
        no_context_takeover: true,
        ..DEFLATE
    });
    assert_eq!(compress(&mut fresh, data), first);
    assert_eq!(compress(&mut fresh, data), first);

    // A reference to an earlier message where none is allowed.
    let mut inflater = Inflater::new(InflateParams {
        no_context_takeover: true,
        ..INFLATE
    });
    assert_eq!(
        inflate(&mut inflater, &first, true).as_deref(),
        Ok(&data[..])
    );
    assert_eq!(
        inflate(&mut inflater, &first, true).as_deref(),
        Ok(&data[..])
    );
    assert!(inflate(&mut inflater, &second, true).is_err());
}

#[test]
fn fragments_of_a_message_share_a_window_in_any_case() {
    let data = b"a message that is long enough to be worth a reference";
    let mut deflater = Deflater::new(DeflateParams {
        no_context_takeover: true,
        ..DEFLATE
    });
    let mut first = Vec::new();
    deflater.compress(data, false, &mut first);
    let mut second = Vec::new();
    deflater.compress(data, true, &mut second);
    assert!(second.len() < first.len() / 2);
    let mut inflater = Inflater::new(InflateParams {
        no_context_takeover: true,
        ..INFLATE
    });
    assert_eq!(
        inflate(&mut inflater, &first, false).as_deref(),
        Ok(&data[..])
    );
    assert_eq!(
        inflate(&mut inflater, &second, true).as_deref(),
        Ok(&data[..])
    );
}

#[test]
fn contexts_are_small_until_they_are_used() {
    assert!(size_of::<Deflater>() <= 16);
    assert!(size_of::<Inflater>() <= 16);
}

#[test]
fn contexts_may_change_threads() {
    fn assert_send<T: Send>() {}
    assert_send::<Deflater>();
    assert_send::<Inflater>();
    assert_send::<DeflateJob>();
}

#[test]
fn a_message_that_another_made_is_between_two_of_ours() {
    let text = b"what all of them say, more or less, and say again".repeat(20);
    let mut ours = Deflater::new(DEFLATE);
    let mut inflater = Inflater::new(INFLATE);
    let first = compress(&mut ours, &text);
    let other = compress(&mut Deflater::new(DEFLATE), &text[7..]);
    ours.forget();
    let next = compress(&mut ours, &text);
    let last = compress(&mut ours, &text);
    for (message, expected) in [
        (&first, &text[..]),
        (&other, &text[7..]),
        (&next, &text),
        (&last, &text),
    ] {
        assert_eq!(inflate(&mut inflater, message, true).unwrap(), expected);
    }
    assert_eq!(next, first);
    assert!(last.len() < next.len());
}
