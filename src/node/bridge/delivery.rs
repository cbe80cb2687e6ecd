//! Batches on their way into JavaScript.

use std::cell::{Cell, RefCell};
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;

use napi::{Result, sys};

use super::async_context::AsyncContext;
use super::dispatch::deliver_events;
use super::queue::{Delivering, Queue, Run, SharedBatch};
use super::records::{CONTINUED, EARLIER_READ};
use super::table::Entry;
use super::{Bridge, Parts};
use crate::engine::{Batch, Connection, HubMember, Kind, Listener, NO_ID, Origin, Owner};
use crate::node::driver::sends::Sends;
use crate::node::raw::catch_panic::catch_panic;
use crate::node::raw::values::{check, undefined};
use crate::node::raw::words::Words;

/// What of an environment calls JavaScript: its bridges, and what waits to be delivered to them.
pub(crate) struct Delivery {
    parts: Parts,
    sends: Rc<Sends>,
    async_context: AsyncContext,
    /// What all copies of the library see: the first word is 1 while we call JavaScript.
    state: Words,
    queue: RefCell<Queue>,
    /// Connections of which a message was inflated that waits there.
    inflated: Cell<usize>,
    bridges: RefCell<Vec<Rc<Bridge>>>,
}

impl Delivery {
    /// No bridge yet.
    pub(crate) fn new(parts: Parts, sends: Rc<Sends>) -> Result<Self> {
        let env = parts.env;
        Ok(Self {
            parts,
            sends,
            async_context: AsyncContext::new(env),
            state: Words::new(env, 1)?,
            queue: RefCell::default(),
            inflated: Cell::default(),
            bridges: RefCell::default(),
        })
    }

    /// The words that JavaScript sees.
    pub(crate) fn state(&self) -> Result<sys::napi_value> {
        self.state.value(self.parts.env)
    }

    /// Adds a bridge that calls `dispatch`.
    pub(crate) fn add_bridge(&self, dispatch: sys::napi_value) -> Result<Rc<Bridge>> {
        let index = self.bridges.borrow().len() as u32;
        let bridge = Bridge::new(&self.parts, index, dispatch)?;
        self.bridges.borrow_mut().push(Rc::clone(&bridge));
        Ok(bridge)
    }

    /// The bridge with this index.
    pub(crate) fn bridge(&self, index: u32) -> Option<Rc<Bridge>> {
        self.bridges.borrow().get(index as usize).cloned()
    }

    /// All connections that JavaScript knows.
    pub(crate) fn connections(&self) -> Vec<Arc<Connection>> {
        let bridges = self.bridges.borrow();
        bridges
            .iter()
            .flat_map(|bridge| bridge.connections())
            .collect()
    }

    /// Makes what the first delivery needs.
    pub(crate) fn prepare(&self) {
        self.async_context.prepare();
    }

    /// Has a batch delivered.
    pub(crate) fn enqueue(&self, batch: &SharedBatch) {
        self.count_inflations(&batch.borrow());
        self.queue.borrow_mut().push(batch);
    }

    /// A message that is being inflated keeps the event loop alive until it is delivered, as in Node.js zlib does, whatever
    /// `unref()` said of its socket.
    fn count_inflations(&self, batch: &Batch) {
        for _ in 0..batch.inflating {
            self.parts.loop_ref.add();
        }
        self.inflated.set(self.inflated.get() + batch.inflated);
    }

    /// The same for one that nobody else has.
    pub(crate) fn enqueue_owned(&self, batch: Batch) {
        self.enqueue(&Rc::new(RefCell::new(batch)));
    }

    /// Whether there is nothing to deliver.
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.borrow().is_empty()
    }

    /// Whether a delivery is under way.
    pub(crate) fn is_delivering(&self) -> bool {
        self.queue.borrow().is_busy()
    }

    /// Delivers all that waits, one callback scope a connection's messages.
    pub(crate) fn deliver(&self) {
        while self.deliver_next() {}
    }

    /// Delivers what is first. Returns whether there was anything.
    pub(crate) fn deliver_next(&self) -> bool {
        let next = self.queue.borrow_mut().pop();
        let has_next = next.is_some();
        if let Some(run) = next {
            catch_panic(|| self.deliver_run(&run));
        }
        if self.inflated.get() > 0 && self.is_empty() {
            for _ in 0..self.inflated.take() {
                self.parts.loop_ref.remove();
            }
        }
        has_next
    }

    /// Delivers what one poll has brought before all that waits.
    pub(crate) fn deliver_first(&self, batch: Batch) {
        self.count_inflations(&batch);
        let run = self.queue.borrow_mut().first_of(batch);
        if let Some(run) = run {
            catch_panic(|| self.deliver_run(&run));
        }
    }

    /// Calls JavaScript with some events in a callback scope: after them their nextTicks and microtasks run.
    fn deliver_run(&self, run: &Run) {
        let batch = run.batch.borrow();
        let poll = &batch.polls[run.poll];
        let from_earlier_read = poll.origin == Origin::EarlierRead;
        let is_last = run.events.end == poll.events.end;
        let first = batch.events[run.events.start].kind;
        let last = batch.events[run.events.end - 1].kind;
        let connection = poll.owner.downcast::<Connection>();
        let member = poll.owner.downcast::<HubMember>();
        let (bridge, id) = match (&connection, &poll.owner) {
            (Some(connection), _) => (connection.bridge(), connection.id()),
            (None, Owner::Task { bridge, id }) => (*bridge, *id),
            (None, owner) => {
                let listener = owner.downcast::<Listener>();
                let listener = listener.map(|it| (it.bridge(), it.id()));
                let member = member.as_ref().map(|it| (it.bridge(), it.id()));
                listener.or(member).unwrap_or((NO_ID, NO_ID))
            }
        };
        let is_task = matches!(poll.owner, Owner::Task { .. });
        // What was on its way was given away, too, or is nobody's: the id may be another's.
        let is_gone = || {
            connection.as_ref().is_some_and(|it| it.is_released())
                || member.as_ref().is_some_and(|it| it.has_left())
        };
        if is_gone() {
            return;
        }
        if let Some(member) = &member {
            member.begin_delivery(&batch.events[run.events.clone()]);
        }
        drop(batch);
        let Some(bridge) = self.bridge(bridge) else {
            return;
        };
        let id = match &connection {
            Some(connection) if id == NO_ID => {
                let id = bridge.add(Entry::connection(connection));
                connection.set_id(id);
                id
            }
            _ => id,
        };
        let delivering = connection
            .as_ref()
            .and_then(|connection| Delivering::begin(&self.queue, connection, first));
        let is_delivered = self.in_callback_scope(bridge.context(id), || {
            let flags = if from_earlier_read { EARLIER_READ } else { 0 };
            deliver_events(&bridge, id, &run.batch, run.events.clone(), flags, is_gone);
            for more in &run.more {
                let events = more.events.clone();
                deliver_events(&bridge, id, &more.batch, events, CONTINUED, is_gone);
            }
            // Its ticks may see others: the listeners have returned.
            drop(delivering);
        });
        if let Some(connection) = connection {
            // Its id may be another's already.
            if connection.is_released() {
                return;
            }
            if is_last {
                connection.delivered(run.bytes);
            }
            if !is_delivered {
                // Something of it is lost: nothing may follow.
                connection.destroy(true);
            }
        }
        self.sends.end_dispatch();
        if is_task || matches!(last, Kind::Closed | Kind::ListenerClosed) {
            bridge.remove(id);
        }
    }

    /// Runs `work` in a callback scope of `context`, which may be null. Returns false if the work has panicked.
    fn in_callback_scope(&self, context: sys::napi_async_context, work: impl FnOnce()) -> bool {
        let mut is_done = true;
        let env = self.parts.env;
        let mut handles = ptr::null_mut();
        let mut scope = ptr::null_mut();
        let was_dispatching = self.sends.is_dispatching();
        // SAFETY: the JS thread is in no other call, unless a listener runs the event loop; the scopes are closed in
        // reverse order.
        unsafe {
            if sys::napi_open_handle_scope(env, &mut handles) != sys::Status::napi_ok {
                return true;
            }
            let resource = undefined(env);
            let context = if context.is_null() {
                self.async_context.get()
            } else {
                Ok(context)
            };
            let opened = context.and_then(|context| {
                check(sys::napi_open_callback_scope(
                    env, resource, context, &mut scope,
                ))
            });
            if opened.is_ok() {
                self.set_dispatching(true);
                is_done = catch_panic(work).is_some();
                sys::napi_close_callback_scope(env, scope);
                self.set_dispatching(was_dispatching);
            }
            sys::napi_close_handle_scope(env, handles);
        }
        is_done
    }

    fn set_dispatching(&self, is_dispatching: bool) {
        self.sends.set_dispatching(is_dispatching);
        self.state.set(0, [u32::from(is_dispatching)]);
    }

    /// Closes everything without a word: the environment ends.
    pub(crate) fn abandon(&self) {
        for bridge in self.bridges.borrow().iter() {
            bridge.abandon();
        }
    }

    /// Lets go of what is JavaScript's.
    pub(crate) fn release(&self) {
        for bridge in self.bridges.borrow().iter() {
            bridge.release();
        }
        self.parts.slabs.release(self.parts.env);
        self.state.release(self.parts.env);
        self.async_context.release();
    }
}
