//! When what JavaScript sends leaves.

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::backlog::Backlog;
use crate::engine::{Connection, DIRECT_WRITE, Flush};

/// Sends of a tick, outside of a dispatch, that leave at once.
const AT_ONCE: u32 = 2;

/// Connections that dispatches have sent to, and that the I/O thread writes to while JavaScript goes on. With fewer it would be
/// woken too often.
const HANDED_OVER: usize = 32;

/// Connections that are written to at the end of a dispatch, where JavaScript drives. More wait for the end of the polls: what
/// the next dispatches send to them leaves with it.
const WRITTEN_IN_DISPATCH: usize = 4;

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
    /// Messages to compress since the last [`Sends::take_compressed`].
    compressed: Cell<usize>,
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
            compressed: Cell::new(0),
        }
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
    /// In a dispatch, where JavaScript drives, the first one leaves at once where the last dispatch sent no other: nothing
    /// would come to leave with it. So do `len` bytes that are written from where they lie, after all that waits.
    pub(crate) fn flush_for_bytes(
        &self,
        connection: &Arc<Connection>,
        compress: bool,
        len: usize,
    ) -> Flush {
        if self.is_inline() && self.is_dispatching() {
            let sent = self.sent_in_dispatch.get();
            self.sent_in_dispatch.set(sent + 1);
            if sent == 0 && self.sends_once.get() && !self.is_pending() {
                return Flush::Now;
            }
            if len >= DIRECT_WRITE && !compress {
                self.write_waiting();
                return Flush::Now;
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

    /// Takes those that wait.
    fn take(&self) -> Vec<Arc<Connection>> {
        if self.waiting.take() == 0 {
            return Vec::new();
        }
        let connections = self.backlog.take();
        for connection in &connections {
            connection.clear_dirty();
        }
        connections
    }

    /// JavaScript has returned from a dispatch: what it sent there, or before, is written, unless that is to many.
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
        self.take();
        for connection in connections {
            connection.flush_until(deadline);
        }
    }
}
