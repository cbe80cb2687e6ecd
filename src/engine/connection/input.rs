//! What a connection has read, and what becomes of it.

use std::mem;

use super::phase::Phase;
use crate::engine::events::{Batch, Kind};
use crate::engine::stream::READ_SIZE;
use crate::handshake::Parsed;
use crate::protocol::Endpoint;
use crate::protocol::receiver::InflateJob;

/// Receives the job that was running when its endpoint was moved to JavaScript.
pub(super) type OnInflated = Box<dyn FnOnce(InflateJob) + Send>;

/// The state of the reading side.
pub(super) struct Input {
    pub(super) phase: Phase,
    /// JavaScript has paused reading.
    pub(super) paused: bool,
    /// Opened in a tick that has not ended: nothing is read before [`Connection::process_pending`](super::Connection::process_pending).
    pub(super) awaits_tick_end: bool,
    /// What came before it was opened is told by [`Connection::poll_early`](super::Connection::poll_early), and nothing before that.
    pub(super) awaits_early_poll: bool,
    /// A message is being inflated on another thread: what follows it waits.
    inflating: bool,
    /// Whether it is, as the polls so far have told.
    counted_as_inflating: bool,
    /// The job that did so: few connections ever have one.
    inflated: Option<Box<InflateJob>>,
    /// Receives it, where the endpoint was moved to JavaScript meanwhile.
    on_inflated: Option<OnInflated>,
    /// The peer's FIN has come.
    pub(super) eof: bool,
    /// The FIN has been reported, after all that came before it.
    pub(super) reported_end: bool,
    /// [`Input::open`] was called.
    pub(super) opened: bool,
    /// Bytes read so far.
    pub(super) bytes: u64,
}

impl Input {
    pub(super) fn new(phase: Phase) -> Self {
        Self {
            phase,
            paused: false,
            awaits_tick_end: false,
            awaits_early_poll: false,
            inflating: false,
            counted_as_inflating: false,
            inflated: None,
            on_inflated: None,
            eof: false,
            reported_end: false,
            opened: false,
            bytes: 0,
        }
    }

    /// Bytes may be read, and there is a place for them.
    pub(super) fn can_read(&self) -> bool {
        self.room() > 0 && !self.paused && !self.is_on_hold() && !self.eof
    }

    /// How many bytes there is a place for. What is parked after the head is one chunk, so it is no more than a read.
    pub(super) fn room(&self) -> usize {
        match &self.phase {
            Phase::Connecting(_) => 0,
            Phase::Parked {
                bytes, together, ..
            } => READ_SIZE.saturating_sub(bytes.len() - together),
            Phase::Head { .. } | Phase::Passthrough(_) | Phase::Open { .. } => READ_SIZE,
        }
    }

    /// The bytes are frames.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open { .. })
    }

    /// A message that had been read is inflated, and not yet delivered.
    pub(super) fn has_inflated(&self) -> bool {
        self.inflated.is_some()
    }

    /// JavaScript may have bytes that it brings to [`Input::open`], and hears of an end before that.
    pub(super) fn is_undecided(&self) -> bool {
        !self.opened && matches!(self.phase, Phase::Parked { .. } | Phase::Passthrough(_))
    }

    /// Nothing is read before something else is over.
    pub(super) fn is_on_hold(&self) -> bool {
        self.is_beginning() || self.inflating
    }

    /// What came before it was opened has still to be told, or what is sent in that tick to be written.
    pub(super) fn is_beginning(&self) -> bool {
        self.awaits_tick_end || self.awaits_early_poll
    }

    /// JavaScript has not been given all that came after the head.
    pub(super) fn has_parked(&self) -> bool {
        matches!(&self.phase, Phase::Parked { bytes, together, .. } if bytes.len() > *together)
    }

    /// Not all that was read for JavaScript has been delivered.
    pub(super) fn has_undelivered(&self) -> bool {
        self.inflating || self.keeps_early()
    }

    /// What came before the phase was known can be delivered.
    pub(super) fn has_early(&self) -> bool {
        self.keeps_early() && !self.paused && !self.is_on_hold()
    }

    fn keeps_early(&self) -> bool {
        match &self.phase {
            Phase::Passthrough(early) => !early.is_empty(),
            Phase::Open { early, .. } => !early.is_empty(),
            _ => false,
        }
    }

    /// Takes `read_before` and what was parked for frames. If the end was reported before, it is reported again after them.
    pub(super) fn open(&mut self, endpoint: Endpoint, read_before: &[u8]) {
        self.opened = true;
        self.reported_end = false;
        let later = self.take_later();
        let chunks = [read_before.to_vec(), self.take_parked(), later];
        // Most have none, and keep no memory for them.
        let early = chunks.into_iter().filter(|it| !it.is_empty()).collect();
        self.phase = Phase::Open {
            endpoint: Box::new(endpoint),
            early,
        };
    }

    /// Adds what Node.js has read of the socket, after what there is.
    pub(super) fn add_early(&mut self, read: &[u8]) {
        self.bytes += read.len() as u64;
        match &mut self.phase {
            Phase::Parked { bytes, .. } | Phase::Passthrough(bytes) => {
                bytes.extend_from_slice(read);
            }
            Phase::Open { early, .. } if !read.is_empty() => early.push(read.to_vec()),
            Phase::Open { .. } | Phase::Connecting(_) | Phase::Head { .. } => {}
        }
    }

    /// Delivers bytes as they come. With `with_head`, those of a head that was read are delivered again; without, what was
    /// read along with it is returned.
    pub(super) fn start_passthrough(&mut self, with_head: bool) -> Vec<u8> {
        let (along, bytes) = if with_head {
            (Vec::new(), self.give_all())
        } else {
            let later = self.take_later();
            (self.take_parked(), later)
        };
        self.phase = Phase::Passthrough(bytes);
        along
    }

    /// Delivers no more bytes as they are; returns how many it has.
    pub(super) fn park(&mut self) -> u64 {
        if let Phase::Passthrough(parked) = &mut self.phase {
            self.phase = Phase::parked(mem::take(parked));
        }
        match &self.phase {
            Phase::Parked { bytes, passed, .. } => self.bytes - (bytes.len() - passed) as u64,
            _ => self.bytes,
        }
    }

    /// Moves the endpoint out, and tells whether a job of its is running, which `on_inflated` then receives.
    pub(super) fn detach(&mut self, on_inflated: OnInflated) -> Option<(Box<Endpoint>, bool)> {
        match mem::replace(&mut self.phase, Phase::Passthrough(Vec::new())) {
            Phase::Open { endpoint, early } => {
                self.phase = Phase::Passthrough(early.concat());
                let is_out = mem::take(&mut self.inflating);
                match self.inflated.take() {
                    Some(job) => on_inflated(*job),
                    None if is_out => self.on_inflated = Some(on_inflated),
                    None => {}
                }
                Some((endpoint, is_out))
            }
            other => {
                self.phase = other;
                None
            }
        }
    }

    /// Takes what was read after the head, not with it.
    fn take_later(&mut self) -> Vec<u8> {
        match &mut self.phase {
            Phase::Parked {
                bytes, together, ..
            } => bytes.split_off(*together),
            _ => Vec::new(),
        }
    }

    fn take_parked(&mut self) -> Vec<u8> {
        match &mut self.phase {
            Phase::Parked { bytes, passed, .. } => bytes.split_off(*passed),
            Phase::Passthrough(parked) => mem::take(parked),
            _ => Vec::new(),
        }
    }

    /// Takes all that was read and not taken for frames, even if it was delivered.
    pub(super) fn give_all(&mut self) -> Vec<u8> {
        match &mut self.phase {
            Phase::Parked { bytes, .. } | Phase::Head { bytes, .. } | Phase::Passthrough(bytes) => {
                mem::take(bytes)
            }
            Phase::Connecting(_) | Phase::Open { .. } => Vec::new(),
        }
    }

    /// Delivers the first chunk of what came before the phase was known. Returns a job to run.
    pub(super) fn feed_early(&mut self, batch: &mut Batch) -> Option<InflateJob> {
        if !self.has_early() {
            return None;
        }
        self.feed_first_early(batch)
    }

    /// Whether [`Connection::poll_early`](super::Connection::poll_early) has something to deliver.
    pub(super) fn has_early_poll(&self) -> bool {
        self.awaits_early_poll && self.keeps_early() && !self.paused && !self.inflating
    }

    /// The same though the tick in which it was opened may not have ended. There is a chunk.
    pub(super) fn feed_first_early(&mut self, batch: &mut Batch) -> Option<InflateJob> {
        match &mut self.phase {
            Phase::Passthrough(parked) => {
                batch.push_bytes(Kind::Chunk, 0, &mem::take(parked));
                None
            }
            Phase::Open { endpoint, early } => {
                let mut bytes = early.remove(0);
                if early.is_empty() {
                    *early = Vec::new();
                }
                batch.feed(endpoint, &mut bytes);
                self.begin_inflation()
            }
            _ => None,
        }
    }

    /// Treats what was read to the batch's arena, from `start` on, as the phase says. Returns a job to run.
    pub(super) fn take(&mut self, start: usize, batch: &mut Batch) -> Option<InflateJob> {
        self.bytes += (batch.arena.len() - start) as u64;
        match &mut self.phase {
            Phase::Connecting(_) => {}
            Phase::Parked { bytes, .. } => bytes.extend(batch.arena.drain(start..)),
            Phase::Passthrough(_) => batch.push_read(Kind::Chunk, start),
            Phase::Open { endpoint, .. } => {
                batch.feed_read(endpoint, start);
                return self.begin_inflation();
            }
            Phase::Head { parser, bytes } => {
                let is_first = bytes.is_empty();
                bytes.extend(batch.arena.drain(start..));
                match parser.parse(bytes) {
                    Parsed::Incomplete if is_first => batch.push(Kind::HeadStarted, 0),
                    Parsed::Incomplete => {}
                    Parsed::Head(head, length) => {
                        batch.push_bytes(Kind::Head, 0, &head.flat(bytes));
                        self.phase = Phase::parked_behind(mem::take(bytes), length);
                    }
                    Parsed::NotAnUpgrade => self.give_up(batch),
                }
            }
        }
        None
    }

    /// The buffer of the message that the next bytes belong to, and how many at most, if that is known.
    pub(super) fn payload_buffer(&mut self) -> Option<(&mut Vec<u8>, usize)> {
        match &mut self.phase {
            Phase::Open { endpoint, .. } => endpoint.payload_buffer(),
            _ => None,
        }
    }

    /// Takes the bytes that were appended there.
    pub(super) fn advance_payload(&mut self, added: usize, batch: &mut Batch) {
        self.bytes += added as u64;
        if let Phase::Open { endpoint, .. } = &mut self.phase {
            batch.advance_payload(endpoint, added);
        }
    }

    /// What was read of a head, if anything, is for Node's parser.
    pub(super) fn give_up(&mut self, batch: &mut Batch) {
        if let Phase::Head { bytes, .. } = &mut self.phase
            && !bytes.is_empty()
        {
            batch.push_bytes(Kind::NotAnUpgrade, 0, bytes);
            let passed = bytes.len();
            self.phase = Phase::parked_behind(mem::take(bytes), passed);
        }
    }

    fn begin_inflation(&mut self) -> Option<InflateJob> {
        let Phase::Open { endpoint, .. } = &mut self.phase else {
            return None;
        };
        let job = endpoint.take_job();
        self.inflating = job.is_some();
        job
    }

    /// A job has run; the next poll continues with what it made.
    pub(super) fn end_inflation(&mut self, job: InflateJob) {
        match self.on_inflated.take() {
            Some(on_inflated) => on_inflated(job),
            None => self.inflated = Some(Box::new(job)),
        }
    }

    /// A job will never be done.
    pub(super) fn give_up_inflation(&mut self) {
        self.inflating = false;
        self.inflated = None;
    }

    /// Tells whether a message is being inflated, if that has changed since it was told last.
    pub(super) fn count_inflation(&mut self, batch: &mut Batch) {
        if mem::replace(&mut self.counted_as_inflating, self.inflating) != self.inflating {
            let count = match self.inflating {
                true => &mut batch.inflating,
                false => &mut batch.inflated,
            };
            *count += 1;
        }
    }

    #[cfg(test)]
    pub(super) fn pretend_inflation(&mut self) {
        self.inflating = true;
    }

    /// Delivers what a job inflated and what came after it. Returns the next job.
    pub(super) fn feed_inflated(&mut self, batch: &mut Batch) -> Option<InflateJob> {
        let job = *self.inflated.take()?;
        self.inflating = false;
        let Phase::Open { endpoint, .. } = &mut self.phase else {
            return None;
        };
        batch.finish(endpoint, job);
        self.begin_inflation()
    }

    /// The peer's FIN is reported after all that came before it. As with Node's sockets it shows before what came along
    /// with the head is taken; then it is reported once more.
    pub(super) fn report_end(&mut self, batch: &mut Batch) {
        if self.eof && !self.has_parked() && !self.has_undelivered() && !self.reported_end {
            self.reported_end = true;
            batch.push(Kind::End, u32::from(!self.opened));
        }
    }

    /// Nothing is read after what is parked, as the peer has ended or there is no room: JavaScript hears of that, and not of
    /// an end that nobody has read up to.
    pub(super) fn report_stop(&mut self, batch: &mut Batch) {
        let is_stopped = self.has_parked() && (self.eof || self.room() == 0);
        if let Phase::Parked { reported_stop, .. } = &mut self.phase
            && is_stopped
            && !mem::replace(reported_stop, true)
        {
            batch.push(Kind::ReadStopped, 0);
        }
    }
}
