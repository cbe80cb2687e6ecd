//! What waits to be delivered to JavaScript, in order.
//!
//! A listener may run the event loop itself (deasync, a modal dialogue of Electron), and what comes then is delivered
//! while it waits. So the queue is the environment's and not a delivery's: each delivery takes what is first. Only a
//! connection whose messages are just being delivered gets no others before that is over.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use crate::engine::{Batch, Connection, Event, Kind, Origin, READ_SIZE};

/// A batch, shared by what is still to be delivered of it.
pub(crate) type SharedBatch = Rc<RefCell<Batch>>;

/// Events of one poll that are delivered together.
pub(crate) struct Run {
    pub(crate) batch: SharedBatch,
    /// Which of the batch's polls.
    pub(crate) poll: usize,
    /// Which of the batch's events.
    pub(crate) events: Range<usize>,
    /// What the same connection has read since, and goes with them.
    pub(crate) more: Vec<Run>,
    /// What all of these polls take.
    pub(crate) bytes: usize,
}

impl Run {
    fn new(batch: &SharedBatch, poll: usize, events: Range<usize>) -> Self {
        Self {
            batch: Rc::clone(batch),
            poll,
            events,
            more: Vec::new(),
            bytes: batch.borrow().polls[poll].bytes,
        }
    }

    /// Whether it is all of what one read of this connection has brought, or might have.
    fn is_read_of(&self, connection: &Connection) -> bool {
        let batch = self.batch.borrow();
        let poll = &batch.polls[self.poll];
        poll.origin == Origin::Stream
            && poll.owner.is(connection)
            && self.events == poll.events
            && batch.events[poll.events.clone()]
                .iter()
                .all(|event| event.kind.is_decoded())
    }
}

/// A connection whose messages are being delivered, and what came for it meanwhile.
struct Busy {
    connection: Arc<Connection>,
    waiting: Vec<Run>,
}

/// What waits to be delivered.
#[derive(Default)]
pub(crate) struct Queue {
    runs: VecDeque<Run>,
    /// The number of the first of them; the others count up from there.
    first: u32,
    /// Those of the deliveries under way, the innermost one's last.
    busy: Vec<Busy>,
}

impl Queue {
    /// Adds the events of all polls of a batch.
    pub(super) fn push(&mut self, batch: &SharedBatch) {
        for (index, poll) in batch.borrow().polls.iter().enumerate() {
            let run = Run::new(batch, index, poll.events.clone());
            match poll.owner.downcast::<Connection>() {
                Some(connection) => self.push_of(&connection, run, poll.follows),
                None => self.runs.push_back(run),
            }
        }
    }

    /// Adds a run, if it `follows` one that waits to that: what the kernel has had when JavaScript came to look is one read
    /// for libuv, and its messages are told together.
    fn push_of(&mut self, connection: &Arc<Connection>, run: Run, follows: bool) {
        if follows && run.is_read_of(connection) {
            let place = connection.queued().wrapping_sub(self.first);
            if let Some(before) = self.runs.get_mut(place as usize)
                && before.is_read_of(connection)
                && before.bytes + run.bytes <= READ_SIZE
            {
                before.bytes += run.bytes;
                before.more.push(run);
                return;
            }
        }
        connection.note_queued(self.first.wrapping_add(self.runs.len() as u32));
        self.runs.push_back(run);
    }

    /// Has runs of a connection that had to wait come first. What is added next follows the last of all that it has here.
    fn put_back(&mut self, connection: &Connection, waiting: Vec<Run>) {
        let place = connection.queued().wrapping_sub(self.first);
        let has_later = self
            .runs
            .get(place as usize)
            .is_some_and(|run| run.batch.borrow().polls[run.poll].owner.is(connection));
        let count = waiting.len() as u32;
        for run in waiting.into_iter().rev() {
            self.push_front(run);
        }
        if !has_later {
            connection.note_queued(self.first.wrapping_add(count).wrapping_sub(1));
        }
    }

    fn push_front(&mut self, run: Run) {
        self.runs.push_front(run);
        self.first = self.first.wrapping_sub(1);
    }

    fn pop_front(&mut self) -> Option<Run> {
        let run = self.runs.pop_front()?;
        self.first = self.first.wrapping_add(1);
        Some(run)
    }

    /// What one poll has brought, if it may be delivered now; else it waits.
    pub(super) fn first_of(&mut self, batch: Batch) -> Option<Run> {
        let events = batch.polls.first()?.events.clone();
        let run = Run::new(&Rc::new(RefCell::new(batch)), 0, events);
        match self.busy_with(&run) {
            Some(busy) => {
                busy.waiting.push(run);
                None
            }
            None => Some(run),
        }
    }

    /// Takes the first events that may be delivered now.
    pub(super) fn pop(&mut self) -> Option<Run> {
        while let Some(mut run) = self.pop_front() {
            if let Some(busy) = self.busy_with(&run) {
                busy.waiting.push(run);
                continue;
            }
            let end = run.events.start + run_length(&run.batch.borrow().events[run.events.clone()]);
            if end < run.events.end {
                let rest = Run::new(&run.batch, run.poll, end..run.events.end);
                self.push_front(rest);
                run.events.end = end;
            }
            return Some(run);
        }
        None
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Whether a delivery is under way.
    pub(super) fn is_busy(&self) -> bool {
        !self.busy.is_empty()
    }

    /// The delivery that the run has to wait for.
    fn busy_with(&mut self, run: &Run) -> Option<&mut Busy> {
        if self.busy.is_empty() {
            return None;
        }
        let batch = run.batch.borrow();
        let connection = batch.polls[run.poll].owner.downcast::<Connection>()?;
        self.busy
            .iter_mut()
            .find(|busy| Arc::ptr_eq(&busy.connection, &connection))
    }
}

/// How many of a poll's events are delivered together: messages are, while what is told of the socket comes by itself,
/// as it does from libuv. Nobody hears of a connection that is accepted before its request is there.
fn run_length(events: &[Event]) -> usize {
    if let [first, second, ..] = events
        && (first.kind, second.kind) == (Kind::Accepted, Kind::Head)
    {
        return 2;
    }
    events
        .iter()
        .position(|event| !event.kind.is_decoded())
        .unwrap_or(events.len())
        .max(1)
}

/// While it lives, what comes for its connection waits. Those of several deliveries end in reverse order.
pub(crate) struct Delivering<'a>(&'a RefCell<Queue>);

impl<'a> Delivering<'a> {
    /// Has what comes for the connection wait, if the first event of a run is one that others must not overtake.
    pub(crate) fn begin(
        queue: &'a RefCell<Queue>,
        connection: &Arc<Connection>,
        first: Kind,
    ) -> Option<Self> {
        if !first.is_decoded() && first != Kind::Chunk {
            return None;
        }
        queue.borrow_mut().busy.push(Busy {
            connection: Arc::clone(connection),
            waiting: Vec::new(),
        });
        Some(Self(queue))
    }
}

impl Drop for Delivering<'_> {
    fn drop(&mut self) {
        let mut queue = self.0.borrow_mut();
        if let Some(Busy {
            connection,
            waiting,
        }) = queue.busy.pop()
        {
            queue.put_back(&connection, waiting);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener, TcpStream};

    use super::*;
    use crate::engine::{Engine, Opening, Owner, Place, PollEvents, Stream};

    /// Connections of an engine that nobody polls.
    fn connections<const N: usize>() -> [Arc<Connection>; N] {
        let engine = Engine::new(|| ()).expect("a runtime");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        std::array::from_fn(|_| {
            let socket = TcpStream::connect(address).expect("a connection");
            socket.set_nonblocking(true).expect("a socket");
            let stream = engine.enter(|| tokio::net::TcpStream::from_std(socket));
            let stream = Stream::Tcp(stream.expect("a registered socket"));
            Connection::start(Arc::clone(&engine), 0, stream, Opening::Adopted)
        })
    }

    /// What one poll of a connection has brought.
    struct Read<'a>(&'a Arc<Connection>, Origin, &'a [Kind], usize);

    fn push(queue: &mut Queue, reads: &[Read<'_>]) {
        let mut batch = Batch::default();
        for Read(connection, origin, kinds, bytes) in reads {
            let start = batch.events.len();
            batch.events.extend(kinds.iter().map(|kind| Event {
                kind: *kind,
                value: 0,
                place: Place::Arena(0..0),
                fragments: 0..0,
            }));
            batch.polls.push(PollEvents {
                owner: Owner::Source(Arc::<Connection>::clone(connection)),
                events: start..batch.events.len(),
                bytes: *bytes,
                origin: *origin,
                follows: true,
            });
        }
        queue.push(&Rc::new(RefCell::new(batch)));
    }

    /// How many polls are delivered together, one number a delivery.
    fn deliveries(queue: &mut Queue) -> Vec<usize> {
        std::iter::from_fn(|| queue.pop().map(|run| 1 + run.more.len())).collect()
    }

    #[test]
    fn what_a_connection_has_read_meanwhile_is_one_delivery() {
        let [a, b] = &connections();
        let mut queue = Queue::default();
        let (stream, text) = (Origin::Stream, &[Kind::Text][..]);
        push(
            &mut queue,
            &[Read(a, stream, text, 10), Read(b, stream, text, 10)],
        );
        push(
            &mut queue,
            &[
                Read(a, stream, &[Kind::Ping, Kind::Binary], 10),
                Read(a, stream, text, 10),
            ],
        );
        assert_eq!(deliveries(&mut queue), [3, 1]);
        push(&mut queue, &[Read(a, stream, text, 10)]);
        push(&mut queue, &[Read(a, stream, text, 10)]);
        assert_eq!(deliveries(&mut queue), [2]);
    }

    #[test]
    fn records_and_what_is_told_of_the_socket_are_deliveries_of_their_own() {
        let [a] = &connections();
        let mut queue = Queue::default();
        let (stream, text) = (Origin::Stream, &[Kind::Text][..]);
        push(
            &mut queue,
            &[
                Read(a, Origin::Unit, text, 10),
                Read(a, Origin::Unit, text, 10),
                Read(a, Origin::EarlierRead, text, 10),
                Read(a, stream, text, 10),
                Read(a, stream, &[Kind::Text, Kind::End], 10),
                Read(a, stream, text, 10),
            ],
        );
        assert_eq!(deliveries(&mut queue), [1; 7]);
    }

    #[test]
    fn a_delivery_is_no_longer_than_a_read() {
        let [a] = &connections();
        let mut queue = Queue::default();
        let half = READ_SIZE / 2;
        let read = || Read(a, Origin::Stream, &[Kind::Binary], half);
        push(&mut queue, &[read(), read(), read(), read(), read()]);
        assert_eq!(deliveries(&mut queue), [2, 2, 1]);
    }

    #[test]
    fn what_follows_goes_with_what_has_moved_to_the_front() {
        let [a, b] = &connections();
        let mut queue = Queue::default();
        let (stream, text) = (Origin::Stream, &[Kind::Text][..]);
        push(
            &mut queue,
            &[
                Read(b, stream, &[Kind::Text, Kind::End], 10),
                Read(a, stream, text, 10),
            ],
        );
        assert_eq!(queue.pop().map(|run| run.events), Some(0..1));
        push(&mut queue, &[Read(a, stream, text, 10)]);
        assert_eq!(deliveries(&mut queue), [1, 2]);
    }

    #[test]
    fn nothing_overtakes_what_has_waited_for_a_listener() {
        let [a, b] = &connections();
        let queue = RefCell::new(Queue::default());
        let (stream, text) = (Origin::Stream, &[Kind::Text][..]);
        let delivering = Delivering::begin(&queue, a, Kind::Text);
        push(
            &mut queue.borrow_mut(),
            &[
                Read(a, stream, text, 10),
                Read(a, stream, text, READ_SIZE),
                Read(b, stream, text, 1),
            ],
        );
        assert_eq!(queue.borrow_mut().pop().map(|run| run.bytes), Some(1));
        drop(delivering);
        push(&mut queue.borrow_mut(), &[Read(a, stream, text, 20)]);
        let bytes: Vec<_> =
            std::iter::from_fn(|| queue.borrow_mut().pop().map(|run| run.bytes)).collect();
        assert_eq!(bytes, [10, READ_SIZE, 20]);
    }
}
