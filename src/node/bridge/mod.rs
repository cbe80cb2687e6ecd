//! One copy of the JavaScript library: its dispatch function, its ids.

pub(crate) mod async_context;
pub(crate) mod delivery;
pub(crate) mod dispatch;
pub(crate) mod queue;
pub(crate) mod records;
pub(crate) mod slab;
pub(crate) mod stream_endpoint;
pub(crate) mod table;

use std::cell::{Cell, RefCell};
use std::mem;
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;

use napi::{Result, sys};

use crate::engine::{
    Connection, Effort, Engine, HubMember, Opening, Outcome, Receiver, ReceiverList, Stream, Task,
};
use crate::node::driver::loop_ref::LoopRef;
use crate::node::raw::values::{check, napi_call};
use records::{ChunkRecords, Records};
use slab::{Slabs, TargetId};
use stream_endpoint::StreamEndpoint;
use table::{Audience, Entry, Table};

/// What the bridges of an environment share.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) env: sys::napi_env,
    pub(crate) engine: Arc<Engine>,
    pub(crate) loop_ref: Rc<LoopRef>,
    pub(crate) slabs: Rc<Slabs>,
}

/// The native side of one `lib/native/bridge.js`.
pub(crate) struct Bridge {
    parts: Parts,
    index: u32,
    /// Strong while an id is in use: a copy of the library that has nothing open can be collected.
    dispatch: sys::napi_ref,
    /// Records of events.
    pub(crate) records: Records,
    /// Those that JavaScript is not called with.
    pub(crate) in_chunk: ChunkRecords,
    table: RefCell<Table>,
    /// What is JavaScript's is gone.
    is_released: Cell<bool>,
}

impl Bridge {
    /// A bridge that calls `dispatch`.
    pub(crate) fn new(parts: &Parts, index: u32, dispatch: sys::napi_value) -> Result<Rc<Self>> {
        let mut reference = ptr::null_mut();
        // SAFETY: `env` is the running call's, and `dispatch` is live.
        check(unsafe { sys::napi_create_reference(parts.env, dispatch, 0, &mut reference) })?;
        Ok(Rc::new(Self {
            parts: parts.clone(),
            index,
            dispatch: reference,
            records: Records::new(parts.env)?,
            in_chunk: ChunkRecords::new(parts.env)?,
            table: RefCell::default(),
            is_released: Cell::new(false),
        }))
    }

    /// The environment it belongs to.
    pub(crate) fn env(&self) -> sys::napi_env {
        self.parts.env
    }

    /// Where short payloads of its connections go.
    pub(crate) fn slabs(&self) -> &Slabs {
        &self.parts.slabs
    }

    /// The engine of its connections.
    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.parts.engine
    }

    /// Its number in the environment.
    pub(crate) fn index(&self) -> u32 {
        self.index
    }

    /// Whether what is JavaScript's is gone: nobody is there to be called.
    pub(crate) fn is_released(&self) -> bool {
        self.is_released.get()
    }

    /// The dispatch function, unless the library has been collected.
    pub(crate) fn dispatch(&self) -> Option<sys::napi_value> {
        if self.is_released.get() {
            return None;
        }
        // SAFETY: the reference is ours; the environment's thread runs.
        let value = unsafe { napi_call!(napi_get_reference_value, self.parts.env, self.dispatch) };
        value.ok().filter(|value| !value.is_null())
    }

    /// Gives `entry` an id.
    pub(crate) fn add(&self, entry: Entry) -> u32 {
        let mut table = self.table.borrow_mut();
        table.used += 1;
        if table.used == 1 {
            // SAFETY: the reference is ours.
            unsafe {
                let env = self.parts.env;
                sys::napi_reference_ref(env, self.dispatch, ptr::null_mut());
            }
        }
        if entry.is_ref() {
            self.parts.loop_ref.add();
        }
        if let Some(id) = table.free.pop() {
            table.entries[id as usize] = Some(entry);
            return id;
        }
        table.entries.push(Some(entry));
        (table.entries.len() - 1) as u32
    }

    /// Frees an id.
    pub(crate) fn remove(&self, id: u32) {
        let mut table = self.table.borrow_mut();
        let Some(entry) = table.entries.get_mut(id as usize).and_then(Option::take) else {
            return;
        };
        let bridge = self.index;
        let Parts { env, slabs, .. } = &self.parts;
        slabs.forget(*env, TargetId { bridge, id });
        table.free.push(id);
        let audience = table.audience.take();
        table.used -= 1;
        if table.used == 0 {
            // SAFETY: the reference is ours, and was made strong by `add`.
            unsafe {
                let env = self.parts.env;
                sys::napi_reference_unref(env, self.dispatch, ptr::null_mut());
            }
        }
        drop(table);
        drop(audience);
        if entry.is_ref() {
            self.parts.loop_ref.remove();
        }
        if let Entry::Connection(_, _, context) = entry {
            destroy_context(self.parts.env, context);
        }
    }

    /// Makes a task, and returns its id too. It keeps the event loop alive until its outcome is delivered.
    pub(crate) fn add_task(&self) -> (u32, Task) {
        let id = self.add(Entry::Task);
        (id, self.parts.engine.task(self.index, id))
    }

    /// Runs `work` as a task, and returns its id.
    pub(crate) fn run_task(
        &self,
        effort: Effort,
        work: impl FnOnce() -> Outcome + Send + 'static,
    ) -> u32 {
        let (id, task) = self.add_task();
        task.run(effort, work);
        id
    }

    /// Starts a connection on `stream`; returns its id.
    pub(crate) fn start_connection(&self, stream: Stream, opening: Opening) -> u32 {
        let engine = Arc::clone(&self.parts.engine);
        let connection = Connection::start(engine, self.index, stream, opening);
        let id = self.add(Entry::connection(&connection));
        connection.set_id(id);
        id
    }

    /// Lets what `id` stands for keep the event loop alive, or not.
    pub(crate) fn set_ref(&self, id: u32, is_ref: bool) {
        let mut table = self.table.borrow_mut();
        let Some(Some(Entry::Connection(_, current, _) | Entry::Listener(_, current))) =
            table.entries.get_mut(id as usize)
        else {
            return;
        };
        match (mem::replace(current, is_ref), is_ref) {
            (false, true) => self.parts.loop_ref.add(),
            (true, false) => self.parts.loop_ref.remove(),
            _ => {}
        }
    }

    /// The connection with this id.
    pub(crate) fn connection(&self, id: u32) -> Option<Arc<Connection>> {
        match self.table.borrow().entries.get(id as usize) {
            Some(Some(Entry::Connection(connection, ..))) => Some(Arc::clone(connection)),
            _ => None,
        }
    }

    /// Has the connection with this id do `work`, which calls no JavaScript.
    pub(crate) fn with_connection(&self, id: u32, work: impl FnOnce(&Arc<Connection>)) {
        let table = self.table.borrow();
        if let Some(Some(Entry::Connection(connection, ..))) = table.entries.get(id as usize) {
            work(connection);
        }
    }

    /// The member of a hub with this id.
    pub(crate) fn member(&self, id: u32) -> Option<Arc<HubMember>> {
        match self.table.borrow().entries.get(id as usize) {
            Some(Some(Entry::HubMember(member))) => Some(Arc::clone(member)),
            _ => None,
        }
    }

    /// The connections with these ids, four bytes each; their slots are their places among them.
    pub(crate) fn receivers(&self, ids: &[u8]) -> Arc<ReceiverList> {
        if let Some(audience) = &self.table.borrow().audience
            && audience.ids == ids
        {
            return Arc::clone(&audience.receivers);
        }
        let receiver = |(id, slot): (&[u8; 4], u32)| {
            Some(Receiver {
                connection: self.connection(u32::from_ne_bytes(*id))?,
                slot,
                class: 0,
            })
        };
        let (places, _) = ids.as_chunks::<4>();
        let list: Vec<_> = places.iter().zip(0..).filter_map(receiver).collect();
        let receivers = Arc::new(ReceiverList::from(list));
        let audience = Audience {
            ids: ids.to_vec(),
            receivers: Arc::clone(&receivers),
        };
        let former = self.table.borrow_mut().audience.replace(audience);
        drop(former);
        receivers
    }

    /// The async context of the connection with this id; null if it has none.
    pub(crate) fn context(&self, id: u32) -> sys::napi_async_context {
        match self.table.borrow().entries.get(id as usize) {
            Some(Some(Entry::Connection(_, _, context))) => *context,
            _ => ptr::null_mut(),
        }
    }

    /// Gives the connection with this id an async context, made by `make`, if there is such a connection.
    pub(crate) fn set_context(
        &self,
        id: u32,
        make: impl FnOnce() -> Result<sys::napi_async_context>,
    ) -> Result<()> {
        if self.connection(id).is_none() {
            return Ok(());
        }
        let made = make()?;
        let mut table = self.table.borrow_mut();
        let former = match table.entries.get_mut(id as usize) {
            Some(Some(Entry::Connection(_, _, context))) => mem::replace(context, made),
            _ => made,
        };
        drop(table);
        destroy_context(self.parts.env, former);
        Ok(())
    }

    /// All connections.
    pub(crate) fn connections(&self) -> Vec<Arc<Connection>> {
        let table = self.table.borrow();
        let entries = table.entries.iter().flatten();
        let connection = |entry: &Entry| match entry {
            Entry::Connection(connection, ..) => Some(Arc::clone(connection)),
            _ => None,
        };
        entries.filter_map(connection).collect()
    }

    /// Has the endpoint with this id do `work`, if there is one. It is away meanwhile.
    pub(crate) fn borrow_endpoint<T>(
        &self,
        id: u32,
        work: impl FnOnce(&mut StreamEndpoint) -> T,
    ) -> Option<T> {
        let index = id as usize;
        let mut endpoint = match self.table.borrow_mut().entries.get_mut(index) {
            Some(Some(Entry::Endpoint(endpoint))) => endpoint.take(),
            _ => None,
        }?;
        let result = work(&mut endpoint);
        if let Some(Some(Entry::Endpoint(place))) = self.table.borrow_mut().entries.get_mut(index) {
            *place = Some(endpoint);
        }
        Some(result)
    }

    /// Frees the id of an endpoint.
    pub(crate) fn remove_endpoint(&self, id: u32) {
        let is_endpoint = matches!(
            self.table.borrow().entries.get(id as usize),
            Some(Some(Entry::Endpoint(_)))
        );
        if is_endpoint {
            self.remove(id);
        }
    }

    /// Closes everything without a word: the environment ends.
    pub(crate) fn abandon(&self) {
        for entry in self.table.borrow_mut().entries.drain(..).flatten() {
            match entry {
                Entry::Connection(connection, _, context) => {
                    destroy_context(self.parts.env, context);
                    connection.destroy(false);
                }
                Entry::Listener(listener, _) => listener.abandon(),
                Entry::HubMember(member) => member.leave(),
                Entry::Endpoint(_) | Entry::Task => {}
            }
        }
    }

    /// Lets go of what is JavaScript's: the environment ends, or the library has been collected.
    pub(crate) fn release(&self) {
        if self.is_released.replace(true) {
            return;
        }
        let env = self.parts.env;
        self.records.release(env);
        self.in_chunk.release(env);
        // SAFETY: the reference is ours, and no id is left that would use it.
        unsafe { sys::napi_delete_reference(env, self.dispatch) };
    }
}

/// Gives an async context back, if there is one.
fn destroy_context(env: sys::napi_env, context: sys::napi_async_context) {
    if !context.is_null() {
        // SAFETY: the context was an entry's, which has no other from here on.
        unsafe { sys::napi_async_destroy(env, context) };
    }
}
