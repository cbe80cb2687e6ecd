use super::*;
use crate::protocol::deflate::{DeflateParams, Deflater};
use crate::protocol::frame::FrameFlags;
use crate::protocol::sender::append_frame;
use crate::protocol::violation::InflateFault;
use Violation::*;

const DEFLATING: Setup = Setup {
    inflate: Some(InflateParams {
        window_bits: 15,
        no_context_takeover: false,
    }),
    ..CLIENT
};

fn limited(max_payload: u64, max_fragments: u32) -> Setup {
    Setup {
        limits: Limits {
            max_payload,
            max_fragments,
            max_buffered_chunks: 0,
        },
        ..DEFLATING
    }
}

fn deflater() -> Deflater {
    Deflater::new(DeflateParams {
        window_bits: 15,
        no_context_takeover: true,
        level: 6,
        mem_level: 8,
        strategy: 0,
    })
}

/// Compresses a message in one piece and puts it into frames of these lengths; the last one takes the
/// rest.
fn frames(opcode: u8, message: &[u8], lengths: &[usize]) -> Vec<u8> {
    let mut payload = Vec::new();
    deflater().compress(message, true, &mut payload);
    let mut out = Vec::new();
    let mut rest = &payload[..];
    for i in 0..=lengths.len() {
        let (part, after) = rest.split_at(lengths.get(i).map_or(rest.len(), |len| *len));
        rest = after;
        let first = if i == 0 { 0x40 | opcode } else { 0 };
        let fin = if i == lengths.len() { 0x80 } else { 0 };
        let flags = FrameFlags::from(u32::from(first | fin));
        append_frame(&mut out, part, flags, [0; 4]);
    }
    out
}

#[test]
fn examples_of_the_rfc() {
    let hello = b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00";
    assert_eq!(DEFLATING.events(hello), [text(b"Hello")]);
    assert_eq!(
        DEFLATING.events(b"\x41\x03\xf2\x48\xcd\x80\x04\xc9\xc9\x07\x00"),
        [Event::Text(b"Hello".to_vec(), vec![2, 3])]
    );
    assert_eq!(
        DEFLATING.events(&[&hello[..], b"\xc1\x05\xf2\x00\x11\x00\x00"].concat()),
        [text(b"Hello"), text(b"Hello")]
    );
    assert_eq!(
        DEFLATING.events(b"\xc1\x0b\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"),
        [text(b"Hello")]
    );
    assert_eq!(
        DEFLATING.events(b"\xc1\x08\xf3\x48\xcd\xc9\xc9\x07\x00\x00"),
        [text(b"Hello")]
    );
    assert_eq!(
        DEFLATING.events(b"\xc1\x0d\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"),
        [text(b"Hello")]
    );
    assert_eq!(DEFLATING.events(b"\xc2\x01\x00"), [binary(b"")]);
}

#[test]
fn masked_frames() {
    let setup = Setup {
        role: Role::Server,
        ..DEFLATING
    };
    let mut stream = b"\xc1\x87\x01\x02\x03\x04\xf2\x48\xcd\xc9\xc9\x07\x00".to_vec();
    mask::apply([1, 2, 3, 4], 0, &mut stream[6..]);
    assert_eq!(setup.events(&stream), [text(b"Hello")]);
}

#[test]
fn control_frames_between_fragments() {
    assert_eq!(
        DEFLATING.events(b"\x41\x03\xf2\x48\xcd\x89\x02ab\x80\x04\xc9\xc9\x07\x00\x8a\x01c"),
        [
            Event::Ping(b"ab".to_vec()),
            Event::Text(b"Hello".to_vec(), vec![2, 3]),
            Event::Pong(b"c".to_vec())
        ]
    );
}

#[test]
fn messages_need_not_be_compressed() {
    assert_eq!(
        DEFLATING.events(b"\x81\x01a\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00\x01\x01a\x80\x01b"),
        [
            text(b"a"),
            text(b"Hello"),
            Event::Text(b"ab".to_vec(), vec![1, 1])
        ]
    );
}

#[test]
fn rsv1_belongs_on_the_first_frame_of_a_message() {
    assert_eq!(DEFLATING.violation(b"\xc0\x00"), UnexpectedRsv1);
    assert_eq!(DEFLATING.violation(b"\x01\x01a\xc0\x01a"), UnexpectedRsv1);
    assert_eq!(DEFLATING.violation(b"\x01\x01a\xc1\x01a"), InvalidOpcode(1));
    assert_eq!(DEFLATING.violation(b"\xc3\x00"), InvalidOpcode(3));
    assert_eq!(DEFLATING.violation(b"\x48\x00"), ExpectedFin);
    for first in [0xc8, 0xc9, 0xca] {
        assert_eq!(DEFLATING.violation(&[first, 0x7e]), UnexpectedRsv1);
    }
    assert_eq!(DEFLATING.violation(b"\xe1\x00"), UnexpectedRsv2Or3);
}

#[test]
fn faults() {
    let fault = |text| Inflate(InflateFault::new(Some(text)));
    assert_eq!(
        DEFLATING.violation(b"\xc1\x01\x06"),
        fault("invalid block type")
    );
    assert_eq!(
        DEFLATING.violation(b"\xc1\x05\xf2\x00\x11\x00\x00"),
        fault("invalid distance too far back")
    );
}

#[test]
fn max_payload_counts_what_is_sent_and_what_it_inflates_to() {
    let hello = b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00";
    assert_eq!(limited(7, 0).events(hello), [text(b"Hello")]);
    assert_eq!(limited(6, 0).violation(hello), UnsupportedMessageLength);

    let stream = frames(2, &[b'a'; 1000], &[]);
    assert_eq!(limited(1000, 0).events(&stream).len(), 1);
    assert_eq!(limited(999, 0).violation(&stream), UnsupportedMessageLength);
    let stream = frames(2, &[b'a'; 1000], &[4, 4]);
    assert_eq!(limited(1000, 0).events(&stream).len(), 1);
    assert_eq!(limited(999, 0).violation(&stream), UnsupportedMessageLength);
    assert_eq!(limited(1000, 0).events(&stream.repeat(3)).len(), 3);
}

#[test]
fn max_fragments_comes_before_inflating() {
    let stream = b"\x41\x03\xf2\x48\xcd\x00\x01\xc9\x80\x03\xff\xff\xff";
    assert_eq!(limited(0, 2).violation(stream), TooManyFragments);
}

#[test]
fn text_is_validated() {
    assert_eq!(DEFLATING.violation(&frames(1, b"a\xff", &[])), InvalidUtf8);
    assert_eq!(
        DEFLATING.violation(&frames(1, "a€".repeat(300).as_bytes().split_at(899).0, &[])),
        InvalidUtf8
    );
    let euros = "€".repeat(300);
    assert_eq!(
        DEFLATING.events(&frames(1, euros.as_bytes(), &[])),
        [text(euros.as_bytes())]
    );
    let trusting = Setup {
        skip_utf8_validation: true,
        ..DEFLATING
    };
    assert_eq!(trusting.events(&frames(1, b"a\xff", &[])), [text(b"a\xff")]);
}

/// A megabyte that does not compress to nothing.
fn large() -> Vec<u8> {
    (0..250_000u32)
        .flat_map(|i| {
            i.wrapping_mul(0x9e37_79b1)
                .to_le_bytes()
                .map(|byte| byte & 0x5f)
        })
        .collect()
}

#[test]
fn large_messages_are_jobs() {
    let message = large();
    let stream = [
        &b"\x89\x01a"[..],
        &frames(2, &message, &[]),
        b"\x89\x01b",
        &frames(2, &message, &[300_000, 300_000]),
    ]
    .concat();
    let mut receiver = DEFLATING.receiver();
    let mut events = Events::default();
    assert_eq!(
        receiver.handle_bytes(&mut stream.clone(), &mut events),
        Ok(())
    );
    let mut jobs = 0;
    while let Some(job) = receiver.take_job() {
        assert!(receiver.take_job().is_none());
        if jobs == 3 {
            // What comes meanwhile is kept.
            let mut close = b"\x88\x00".to_vec();
            assert_eq!(receiver.handle_bytes(&mut close, &mut events), Ok(()));
            assert!(!receiver.is_finished);
        }
        jobs += 1;
        let job = std::thread::spawn(move || {
            let mut job = job;
            job.run();
            job
        })
        .join()
        .expect("a job");
        assert_eq!(receiver.finish_job(job, &mut events), Ok(()));
    }
    assert_eq!(jobs, 4);
    assert!(receiver.is_finished);
    assert_eq!(events.list.len(), 5);
    assert_eq!(events.list[0], Event::Ping(b"a".to_vec()));
    assert_eq!(events.list[1], binary(&message));
    assert_eq!(events.list[2], Event::Ping(b"b".to_vec()));
    let Event::Binary(bytes, fragments) = &events.list[3] else {
        panic!("a binary message");
    };
    assert_eq!(bytes, &message);
    assert_eq!(fragments.len(), 3);
    assert_eq!(fragments.iter().sum::<u32>() as usize, message.len());
    assert_eq!(events.list[4], Event::Close(1005, Vec::new()));
    // And the same in any other way.
    let stream = [&stream[..], b"\x88\x00"].concat();
    assert_eq!(DEFLATING.events(&stream), events.list);
}

#[test]
fn violations_in_jobs() {
    let message = large();
    let stream = frames(2, &message, &[]);
    let limit = message.len() as u64;
    assert_eq!(limited(limit, 0).events(&stream).len(), 1);
    assert_eq!(
        limited(limit - 1, 0).violation(&stream),
        UnsupportedMessageLength
    );

    let mut text = message.clone();
    text[900_000] = 0xff;
    assert_eq!(DEFLATING.violation(&frames(1, &text, &[])), InvalidUtf8);

    let mut payload = Vec::new();
    deflater().compress(&message, false, &mut payload);
    payload.push(0x06);
    let mut broken = Vec::new();
    append_frame(&mut broken, &payload, FrameFlags::from(0xc2), [0; 4]);
    let fault = InflateFault::new(Some("invalid block type"));
    assert_eq!(DEFLATING.violation(&broken), Inflate(fault));
}

#[test]
fn little_output_from_much_input_is_a_job_too() {
    // Empty stored blocks.
    let payload = b"\x00\x00\x00\xff\xff".repeat(60_000);
    let mut stream = Vec::new();
    append_frame(&mut stream, &payload, FrameFlags::from(0xc2), [0; 4]);
    let mut receiver = DEFLATING.receiver();
    let mut events = Events::default();
    assert_eq!(
        receiver.handle_bytes(&mut stream.clone(), &mut events),
        Ok(())
    );
    assert!(receiver.take_job().is_some());
    assert_eq!(DEFLATING.events(&stream), [binary(b"")]);
}

#[test]
fn a_job_that_was_not_run_is_run_when_it_comes_back() {
    let message = large();
    let mut receiver = DEFLATING.receiver();
    let mut events = Events::default();
    let mut stream = frames(2, &message, &[]);
    assert_eq!(receiver.handle_bytes(&mut stream, &mut events), Ok(()));
    let job = receiver.take_job().expect("a job");
    assert_eq!(receiver.finish_job(job, &mut events), Ok(()));
    assert_eq!(events.list, [binary(&message)]);
}

#[test]
fn nothing_is_kept_when_the_stream_is_over() {
    let hello = b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00";
    for end in [&b"\x88\x00"[..], b"\x83\x00"] {
        let mut receiver = DEFLATING.receiver();
        let mut stream = [hello, end].concat();
        let _ = receiver.handle_bytes(&mut stream, &mut Events::default());
        assert!(receiver.is_finished);
        assert!(receiver.inflater.is_none());
        assert_eq!(receiver.capacity(), 0);
    }
}

#[test]
fn every_compressed_frame_is_a_job_if_asked_for() {
    let hello = b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00";
    let stream = [
        &hello.repeat(3)[..],
        b"\x81\x01a",
        &frames(1, b"Hello", &[2]),
        b"\x01\x02He",
    ]
    .concat();
    let mut receiver = DEFLATING.receiver();
    receiver.defer_inflation();
    let mut events = Events::default();
    assert_eq!(
        receiver.handle_bytes(&mut stream.clone(), &mut events),
        Ok(())
    );
    let mut counts = Vec::new();
    while let Some(job) = receiver.take_job() {
        counts.push(events.list.len());
        assert_eq!(receiver.finish_job(job, &mut events), Ok(()));
    }
    assert_eq!(counts, [0, 1, 2, 4, 4]);
    assert_eq!(receiver.message_len(), 2);
    assert_eq!(DEFLATING.events(&stream), events.list);
    assert_eq!(
        receiver.handle_bytes(&mut b"\x80\x00".to_vec(), &mut events),
        Ok(())
    );
    assert_eq!(receiver.message_len(), 0);
}

#[test]
fn many_frames_that_inflate_to_much_are_not_all_inflated_at_once() {
    let message = vec![0; 200_000];
    let stream = frames(2, &message, &[]).repeat(100);
    assert!(stream.len() < 64 * 1024);
    let mut receiver = DEFLATING.receiver();
    let mut events = Events::default();
    assert_eq!(
        receiver.handle_bytes(&mut stream.clone(), &mut events),
        Ok(())
    );
    let mut counts = Vec::new();
    while let Some(job) = receiver.take_job() {
        counts.push(events.list.len());
        assert_eq!(receiver.finish_job(job, &mut events), Ok(()));
    }
    assert_eq!(events.list, vec![binary(&message); 100]);
    let steps: Vec<_> = counts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(steps.len() > 10 && steps.iter().all(|step| (5..8).contains(step)));
}
