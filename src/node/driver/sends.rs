//! When what JavaScript sends leaves.

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::backlog::Backlog;
use super::busy_poll::Recipients;
use crate::engine::{Connection, DIRECT_WRITE, Flush};

/// Sends of a tick, outside of a dispatch, that leave at once.
const AT_ONCE: u32 = 2;

/// Connections that dispatches have sent to, and that the I/O thread writes to while JavaScript goes on. With fewer it would be
/// woken too often.
const HANDED_OVER: usize = 32;

/// Connections that are written to at the end of a dispatch, where JavaScript drives. More wait for the end of the polls: what
/// the next dispatches send to them leaves with it.
const WRITTEN_IN_DISPATCH: usize = 4;

/// Where so many sources are polled in a turn, connections are written to together: a peer that has waited is woken by the
/// first of them, and awake when the others come; and each path of the code runs with its caches warm.
const CROWD: usize = 8;

/// What is written together at most: so many connections, bytes of messages, and what dispatches send in this time. Who is
/// answered first does not wait for all others.
const TOGETHER: usize = 32;
const TOGETHER_BYTES: usize = 64 * 1024;
const TOGETHER_TIME: Duration = Duration::from_micros(200);

/// How long an exit waits for messages that are being compressed. With ws they are lost.
const EXIT_TIMEOUT: Duration = Duration::from_millis(100);

/// What decides about that, of one environment.
pub(crate) struct Sends {
    /// The JS thread drives.
    is_inline: Cell<bool>,
    /// JavaScript runs because we called it: what it sends is written when it returns.
    is_dispatching: Cell<bool>,
    /// Connections that were sent to in this tick or dispatch.
    backlog: Arc<Backlog>,
    /// How many these are.
    waiting: Cell<usize>,
    /// Sends of this tick, outside of a dispatch, that left at once.
    sent_at_once: Cell<u32>,
    /// Set once the process exits: all leaves at once, and until then it may wait for what is being compressed.
    leaving: Cell<Option<Instant>>,
    /// Sends of this dispatch.
    sent_in_dispatch: Cell<u32>,
    /// The last dispatch that sent something sent once.
    sends_once: Cell<bool>,
    /// Many sources are polled in this turn.
    is_crowded: Cell<bool>,
    /// What waits in such a turn.
    group: Group,
    /// The connections that were sent to last, where the JS thread drives.
    recipients: Recipients,
    /// Messages to compress since the last [`Sends::take_compressed`].
    compressed: Cell<usize>,
}

/// What dispatches have sent since something was last written.
#[derive(Default)]
struct Group {
    /// Connections that waited when the last of them had ended.
    waited: Cell<usize>,
    /// Bytes of messages.
    bytes: Cell<usize>,
    /// When the first of them had ended.
    begin: Cell<Option<Instant>>,
    /// One of them has sent to many: what others send to them leaves with it, when the turn ends.
    is_broadcast: Cell<bool>,
}

impl Group {
    /// A dispatch has ended at `now`, and `waiting` connections wait to be written to. Returns whether that is enough.
    fn end_dispatch(&self, waiting: usize, now: Instant) -> bool {
        if waiting.saturating_sub(self.waited.replace(waiting)) > WRITTEN_IN_DISPATCH {
            self.is_broadcast.set(true);
        }
        if self.is_broadcast.get() {
            return false;
        }
        if waiting >= TOGETHER || self.bytes.get() >= TOGETHER_BYTES {
            return true;
        }
        match self.begin.get() {
            Some(begin) => now.duration_since(begin) >= TOGETHER_TIME,
            None => {
                self.begin.set(Some(now));
                false
            }
        }
    }

    /// All is written.
    fn reset(&self) {
        self.waited.set(0);
        self.bytes.set(0);
        self.begin.set(None);
        self.is_broadcast.set(false);
    }
}

impl Sends {
    /// Nothing was sent yet, and a thread drives.
    pub(crate) fn new() -> Self {
        Self {
            is_inline: Cell::new(false),
            is_dispatching: Cell::new(false),
            backlog: Backlog::new(),
            waiting: Cell::new(0),
            sent_at_once: Cell::new(0),
            sent_in_dispatch: Cell::new(0),
            sends_once: Cell::new(false),
            leaving: Cell::new(None),
            is_crowded: Cell::new(false),
            group: Group::default(),
            recipients: Recipients::default(),
            compressed: Cell::new(0),
        }
    }

    /// Who was sent to last, where the JS thread drives.
    pub(crate) fn recipients(&self) -> &Recipients {
        &self.recipients
    }

    /// Whether the JS thread drives.
    pub(crate) fn is_inline(&self) -> bool {
        self.is_inline.get()
    }

    /// The driver has changed. Returns whether the JS thread drove before.
    pub(crate) fn set_inline(&self, is_inline: bool) -> bool {
        self.is_inline.replace(is_inline)
    }

    /// Whether JavaScript runs because we called it.
    pub(crate) fn is_dispatching(&self) -> bool {
        self.is_dispatching.get()
    }

    /// JavaScript is called, or has returned.
    pub(crate) fn set_dispatching(&self, is_dispatching: bool) {
        self.is_dispatching.set(is_dispatching);
    }

    /// When what is asked of `connection` is to be done; what is not done at once is with the next [`Sends::flush`].
    pub(crate) fn flush_for(&self, connection: &Arc<Connection>) -> Flush {
        if self.leaving.get().is_some() {
            return Flush::Now;
        }
        // Where JavaScript drives, all leaves in the order in which it was sent: in no poll before its turn.
        let is_first = connection.mark_dirty(self.is_inline());
        if is_first {
            self.waiting.set(self.waiting.get() + 1);
            self.backlog.push(Arc::clone(connection));
        }
        if !self.is_inline() {
            Flush::OnIoThread
        } else if is_first && !self.is_dispatching() {
            Flush::Now
        } else {
            Flush::EndOfTick
        }
    }

    /// The same for a connection that is opened. Where JavaScript drives there is nothing to write yet: it has its place
    /// among others when it is sent to.
    pub(crate) fn flush_for_opening(&self, connection: &Arc<Connection>) -> Flush {
        if self.is_inline() {
            Flush::EndOfTick
        } else {
            self.flush_for(connection)
        }
    }

    /// The same for bytes to send. The first ones of a tick outside of a dispatch leave at once with either driver: a process
    /// that sends little may be killed next. What is to be compressed waits for the I/O thread.
    ///
    /// In a dispatch, where JavaScript drives, the first one leaves at once where the last dispatch sent no other, and no crowd
    /// is polled: nothing would come to leave with it. So do `len` bytes that are written from where they lie, after all that waits.
    pub(crate) fn flush_for_bytes(
        &self,
        connection: &Arc<Connection>,
        compress: bool,
        len: usize,
    ) -> Flush {
        if self.is_inline() {
            self.recipients.add(Arc::as_ptr(connection).addr());
        }
        if self.is_inline() && self.is_dispatching() {
            let sent = self.sent_in_dispatch.get();
            self.sent_in_dispatch.set(sent + 1);
            let is_crowded = self.is_crowded.get();
            if sent == 0 && self.sends_once.get() && !is_crowded && !self.is_pending() {
                return Flush::Now;
            }
            if len >= DIRECT_WRITE && !compress {
                self.write_waiting();
                return Flush::Now;
            }
            if is_crowded {
                self.group.bytes.set(self.group.bytes.get() + len);
            }
        }
        let flush = self.flush_for(connection);
        let sent = self.sent_at_once.get();
        if flush == Flush::Now || self.is_dispatching() || sent == AT_ONCE {
            return flush;
        }
        if compress && flush == Flush::OnIoThread {
            return flush;
        }
        self.sent_at_once.set(sent + 1);
        Flush::Now
    }

    /// Something was sent, or is to end. While the process exits nothing else comes to write it.
    pub(crate) fn sent(&self, connection: &Arc<Connection>) {
        if let Some(deadline) = self.leaving.get() {
            connection.flush_until(deadline);
        }
    }

    /// Whether the process exits.
    pub(crate) fn is_leaving(&self) -> bool {
        self.leaving.get().is_some()
    }

    /// Counts a message that is compressed on its way out.
    pub(crate) fn count_compressed(&self) {
        self.compressed.set(self.compressed.get() + 1);
    }

    /// Whether there were such messages.
    pub(crate) fn has_compressed(&self) -> bool {
        self.compressed.get() > 0
    }

    /// How many there were.
    pub(crate) fn take_compressed(&self) -> usize {
        self.compressed.take()
    }

    /// Whether there is something to flush.
    pub(crate) fn is_pending(&self) -> bool {
        self.waiting.get() > 0
    }

    /// Writes what was sent, or has the thread that drives do it.
    pub(crate) fn flush(&self) {
        self.sent_at_once.set(0);
        if self.is_inline() {
            self.write_waiting();
            return;
        }
        for connection in self.take() {
            connection.process_pending();
        }
    }

    /// Writes what waits, in the order in which it was sent first.
    pub(crate) fn write_waiting(&self) {
        for connection in self.take() {
            connection.flush();
        }
    }

    /// Writes what waits, where JavaScript drives, before `connection` is written to for a reason of its own.
    pub(crate) fn write_before(&self, connection: &Connection) {
        let is_alone = self.waiting.get() == 1 && connection.is_dirty();
        if self.is_inline() && self.is_pending() && !is_alone {
            self.write_waiting();
        }
    }

    /// Writes what waits for `connection`, where JavaScript drives and others have their turn before: else who asks for it
    /// writes it.
    pub(crate) fn write_in_turn(&self, connection: &Connection) {
        if connection.is_dirty() {
            self.write_before(connection);
        }
    }

    /// The JS thread polls so many sources, and delivers after each poll.
    pub(crate) fn begin_turn(&self, sources: usize) {
        self.is_crowded.set(sources >= CROWD);
    }

    /// It has polled them.
    pub(crate) fn end_turn(&self) {
        self.is_crowded.set(false);
        self.flush();
    }

    /// Takes those that wait.
    fn take(&self) -> Vec<Arc<Connection>> {
        if self.waiting.take() == 0 {
            return Vec::new();
        }
        self.group.reset();
        let connections = self.backlog.take();
        for connection in &connections {
            connection.clear_dirty();
        }
        connections
    }

    /// JavaScript has returned from a dispatch: what it sent there, or before, is written, unless that is to many, or in a
    /// crowd.
    pub(crate) fn end_dispatch(&self) {
        let waiting = self.waiting.get();
        if !self.is_inline() {
            if waiting >= HANDED_OVER {
                self.flush();
            }
            return;
        }
        let sent = self.sent_in_dispatch.take();
        if sent > 0 {
            self.sends_once.set(sent == 1);
        }
        if self.is_crowded.get() {
            if waiting > 0 && self.group.end_dispatch(waiting, Instant::now()) {
                self.write_waiting();
            }
            return;
        }
        match waiting {
            0 => {}
            1 => self.write_only(),
            2..=WRITTEN_IN_DISPATCH => self.write_waiting(),
            _ => {}
        }
    }

    /// Writes what waits for one connection: the memory of the list serves the next dispatch.
    fn write_only(&self) {
        if let Some(connection) = self.backlog.pop() {
            self.waiting.set(0);
            connection.clear_dirty();
            connection.flush();
        }
    }

    /// The process is about to end: writes all that was sent to `connections`, and from here on each send at once, with
    /// either driver.
    pub(crate) fn leave(&self, connections: Vec<Arc<Connection>>) {
        let deadline = Instant::now() + EXIT_TIMEOUT;
        self.leaving.set(Some(deadline));
        let waiting = self.take();
        for connection in connections {
            connection.flush_until(deadline);
        }
        if !self.is_inline() {
            for connection in waiting {
                connection.process_pending();
            }
        }
    }

    /// The event loop goes on: a program has only said that the process exits.
    pub(crate) fn stay(&self) {
        self.leaving.set(None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_ends_with_so_many_connections_bytes_or_time() {
        let now = Instant::now();
        let group = Group::default();
        for waiting in 1..TOGETHER {
            assert!(!group.end_dispatch(waiting, now));
        }
        assert!(group.end_dispatch(TOGETHER, now));

        group.reset();
        group.bytes.set(TOGETHER_BYTES - 1);
        assert!(!group.end_dispatch(1, now));
        group.bytes.set(TOGETHER_BYTES);
        assert!(group.end_dispatch(2, now));

        group.reset();
        assert!(!group.end_dispatch(1, now));
        let later = now + TOGETHER_TIME;
        assert!(!group.end_dispatch(2, later - Duration::from_nanos(1)));
        assert!(group.end_dispatch(2, later));
    }

    #[test]
    fn what_is_sent_to_many_waits_for_what_others_send_to_them() {
        let later = Instant::now() + TOGETHER_TIME;
        let group = Group::default();
        assert!(!group.end_dispatch(WRITTEN_IN_DISPATCH, Instant::now()));
        assert!(!group.end_dispatch(2 * WRITTEN_IN_DISPATCH + 1, later));
        assert!(!group.end_dispatch(2 * WRITTEN_IN_DISPATCH + 1, later));
        assert!(!group.end_dispatch(TOGETHER, later));

        group.reset();
        assert!(!group.end_dispatch(WRITTEN_IN_DISPATCH, later));
        assert!(group.end_dispatch(WRITTEN_IN_DISPATCH + 1, later + TOGETHER_TIME));
    }
}
