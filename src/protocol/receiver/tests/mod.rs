use super::*;
use crate::protocol::deflate::InflateParams;

mod broken_text;
mod chunks;
mod compressed;
mod examples;
mod messages;
mod payload_buffer;
mod violations;

/// An event, with everything in it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Event {
    Text(Vec<u8>, Vec<u32>),
    Binary(Vec<u8>, Vec<u32>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(u16, Vec<u8>),
}

#[derive(Default)]
struct Events {
    list: Vec<Event>,
    borrowed: usize,
}

impl Sink for Events {
    fn message(&mut self, message: Message<'_>) {
        self.borrowed += usize::from(matches!(message.payload, Payload::Borrowed(_)));
        let bytes = message.payload.as_ref().to_vec();
        let fragments = message.fragments.to_vec();
        self.list.push(if message.is_binary {
            Event::Binary(bytes, fragments)
        } else {
            Event::Text(bytes, fragments)
        });
    }

    fn ping(&mut self, payload: &[u8]) {
        self.list.push(Event::Ping(payload.to_vec()));
    }

    fn pong(&mut self, payload: &[u8]) {
        self.list.push(Event::Pong(payload.to_vec()));
    }

    fn close(&mut self, code: u16, reason: &[u8]) {
        self.list.push(Event::Close(code, reason.to_vec()));
    }
}

#[derive(Clone, Copy)]
struct Setup {
    role: Role,
    limits: Limits,
    skip_utf8_validation: bool,
    inflate: Option<InflateParams>,
}

const CLIENT: Setup = Setup {
    role: Role::Client,
    limits: Limits {
        max_payload: 0,
        max_fragments: 0,
        max_buffered_chunks: 0,
    },
    skip_utf8_validation: false,
    inflate: None,
};

const SERVER: Setup = Setup {
    role: Role::Server,
    ..CLIENT
};

impl Setup {
    fn receiver(self) -> Receiver {
        Receiver::new(
            self.role,
            self.limits,
            self.skip_utf8_validation,
            self.inflate.map(Inflater::new),
        )
    }

    /// What `bytes` give when they arrive in chunks of `size`, and how many bytes were taken.
    fn run_in_chunks(
        self,
        bytes: &[u8],
        size: usize,
    ) -> (Vec<Event>, Result<(), Violation>, usize) {
        let mut receiver = self.receiver();
        let mut events = Events::default();
        let mut taken = 0;
        for chunk in bytes.to_vec().chunks_mut(size) {
            taken += chunk.len();
            let mut result = receiver.handle_bytes(chunk, &mut events);
            while let Some(mut job) = receiver.take_job() {
                job.run();
                result = receiver.finish_job(job, &mut events);
            }
            if let Err(violation) = result {
                assert!(receiver.is_finished);
                return (events.list, Err(violation), taken);
            }
        }
        (events.list, Ok(()), taken)
    }

    /// The same events and the same end, whole and one byte at a time.
    fn run(self, bytes: &[u8]) -> (Vec<Event>, Result<(), Violation>) {
        let (events, result, _) = self.run_in_chunks(bytes, bytes.len().max(1));
        let (one_by_one, end, _) = self.run_in_chunks(bytes, 1);
        assert_eq!(events, one_by_one);
        assert_eq!(result, end);
        (events, result)
    }

    fn events(self, bytes: &[u8]) -> Vec<Event> {
        let (events, result) = self.run(bytes);
        assert_eq!(result, Ok(()));
        events
    }

    fn violation(self, bytes: &[u8]) -> Violation {
        self.run(bytes).1.expect_err("a violation")
    }
}

fn text(bytes: &[u8]) -> Event {
    Event::Text(bytes.to_vec(), Vec::new())
}

fn binary(bytes: &[u8]) -> Event {
    Event::Binary(bytes.to_vec(), Vec::new())
}
