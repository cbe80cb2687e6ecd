//! What the fuzz targets have in common.

mod chunks;
#[path = "../../tests/events/mod.rs"]
mod events;
mod heads;

pub use chunks::Chunks;
pub use events::{Event, Events};
pub use heads::{MAX_LINES, parse_head};
use oxws::protocol::{Endpoint, Violation};

/// Hands `bytes` to `endpoint` in the pieces that `chunks` cuts and does its jobs: the events, and the violation
/// that ended them.
pub fn receive(
    mut endpoint: Endpoint,
    bytes: &[u8],
    mut chunks: Chunks,
) -> (Events, Option<Violation>) {
    let mut events = Events::default();
    let mut violation = None;
    let mut bytes = bytes.to_vec();
    let mut rest = &mut bytes[..];
    while !rest.is_empty() {
        let (chunk, tail) = rest.split_at_mut(chunks.next(rest.len()));
        let is_over = violation.is_some() || matches!(events.0.last(), Some(Event::Close(..)));
        let before = events.0.len();
        let mut result = endpoint.handle_bytes(chunk, &mut events);
        while let Some(job) = endpoint.take_job() {
            result = endpoint.finish_job(job, &mut events);
        }
        if is_over {
            assert_eq!((result, events.0.len()), (Ok(()), before));
        }
        if let Err(first) = result {
            violation = Some(first);
        }
        rest = tail;
    }
    (events, violation)
}
