//! One copy of the JavaScript library: its dispatch function, its ids.

pub(crate) mod dispatch;
pub(crate) mod queue;
pub(crate) mod records;
pub(crate) mod slab;
pub(crate) mod stream_endpoint;

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::mem;
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;

use napi::{Result, sys};

use crate::engine::{Connection, Effort, Listener, Outcome, Task};
use crate::node::bridge::records::Meta;
use crate::node::bridge::slab::Owner;
use crate::node::bridge::stream_endpoint::StreamEndpoint;
use crate::node::calls::{connection, context, endpoint, extra, messages};
use crate::node::environment::Environment;
use crate::node::raw::catch_panic::catch_panic;
use crate::node::raw::values::{check, define, napi_call, number, set};

/// What an id stands for.
pub(crate) enum Entry {
    /// A connection, whether it keeps the event loop alive, and its async context; null if it has none.
    Connection(Arc<Connection>, bool, sys::napi_async_context),
    /// A listener, and whether it keeps the event loop alive.
    Listener(Arc<Listener>, bool),
    /// An endpoint whose bytes JavaScript carries; taken out while it is fed.
    Endpoint(Option<Box<StreamEndpoint>>),
    /// A task that is not over.
    Task,
}

impl Entry {
    /// A connection that keeps the event loop alive.
    pub(crate) fn connection(connection: &Arc<Connection>) -> Self {
        Self::Connection(Arc::clone(connection), true, ptr::null_mut())
    }

    /// Whether it keeps the event loop alive.
    fn holds(&self) -> bool {
        matches!(
            self,
            Self::Connection(_, true, _) | Self::Listener(_, true) | Self::Task
        )
    }
}

/// Gives an async context back, if there is one.
fn destroy_context(env: sys::napi_env, context: sys::napi_async_context) {
    if !context.is_null() {
        // SAFETY: the context was an entry's, which has no other from here on.
        unsafe { sys::napi_async_destroy(env, context) };
    }
}

#[derive(Default)]
struct Table {
    entries: Vec<Option<Entry>>,
    free: Vec<u32>,
    used: usize,
}

/// The native side of one `lib/native/bridge.js`.
pub(crate) struct Bridge {
    environment: *const Environment,
    index: u32,
    /// Strong while an id is in use: a copy of the library that has nothing open can be collected.
    dispatch: sys::napi_ref,
    /// Records of events.
    pub(crate) meta: Meta,
    table: RefCell<Table>,
    /// What is JavaScript's is gone.
    is_released: Cell<bool>,
}

impl Bridge {
    /// Makes a bridge and the JavaScript object with its raw functions.
    pub(crate) fn attach(
        environment: &Rc<Environment>,
        dispatch: sys::napi_value,
    ) -> Result<sys::napi_value> {
        let env = environment.env;
        // SAFETY: `env` is the running call's.
        let object = unsafe { napi_call!(napi_create_object, env)? };
        let bridge = environment.add_bridge(|index| {
            let mut reference = ptr::null_mut();
            // SAFETY: `dispatch` is live.
            check(unsafe { sys::napi_create_reference(env, dispatch, 0, &mut reference) })?;
            let meta = Meta::new(env)?;
            // As long as the library holds the object, and no longer.
            set(env, object, c"dispatch", dispatch)?;
            set(env, object, c"meta", meta.value(env)?)?;
            set(env, object, c"state", environment.state.value(env)?)?;
            set(env, object, c"id", number(env, f64::from(index)))?;
            Ok(Rc::new(Self {
                environment: Rc::as_ptr(environment),
                index,
                dispatch: reference,
                meta,
                table: RefCell::default(),
                is_released: Cell::new(false),
            }))
        })?;
        let data = Rc::as_ptr(&bridge).cast_mut().cast::<c_void>();
        for (name, entry) in [
            messages::ENTRIES,
            connection::ENTRIES,
            context::ENTRIES,
            endpoint::ENTRIES,
            extra::ENTRIES,
        ]
        .into_iter()
        .flatten()
        {
            // SAFETY: the environment keeps the bridge until no JavaScript runs any more.
            unsafe { define(env, object, name, *entry, data)? };
        }
        // SAFETY: the object is live, and the number outlives everything.
        check(unsafe {
            let index = ptr::without_provenance_mut(bridge.index as usize);
            let none = ptr::null_mut();
            sys::napi_add_finalizer(env, object, index, Some(on_collected), none, none.cast())
        })?;
        Ok(object)
    }

    /// The environment it belongs to.
    pub(crate) fn environment(&self) -> &Environment {
        // SAFETY: the environment owns the bridge.
        unsafe { &*self.environment }
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
        let value = unsafe {
            napi_call!(
                napi_get_reference_value,
                self.environment().env,
                self.dispatch
            )
        };
        value.ok().filter(|value| !value.is_null())
    }

    /// Gives `entry` an id.
    pub(crate) fn add(&self, entry: Entry) -> u32 {
        let mut table = self.table.borrow_mut();
        table.used += 1;
        if table.used == 1 {
            // SAFETY: the reference is ours.
            unsafe {
                let env = self.environment().env;
                sys::napi_reference_ref(env, self.dispatch, ptr::null_mut());
            }
        }
        if entry.holds() {
            self.environment().hold(true);
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
        let environment = self.environment();
        let bridge = self.index;
        environment
            .slabs
            .forget(environment.env, Owner { bridge, id });
        table.free.push(id);
        table.used -= 1;
        if table.used == 0 {
            // SAFETY: the reference is ours, and was made strong by `add`.
            unsafe {
                let env = self.environment().env;
                sys::napi_reference_unref(env, self.dispatch, ptr::null_mut());
            }
        }
        drop(table);
        if entry.holds() {
            environment.hold(false);
        }
        if let Entry::Connection(_, _, context) = entry {
            destroy_context(environment.env, context);
        }
    }

    /// Makes a task, and returns its id too. It keeps the event loop alive until its outcome is delivered.
    pub(crate) fn add_task(&self) -> (u32, Task) {
        let id = self.add(Entry::Task);
        (id, self.environment().engine.task(self.index, id))
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

    /// Lets what `id` stands for keep the event loop alive, or not.
    pub(crate) fn set_ref(&self, id: u32, hold: bool) {
        let mut table = self.table.borrow_mut();
        let Some(Some(Entry::Connection(_, held, _) | Entry::Listener(_, held))) =
            table.entries.get_mut(id as usize)
        else {
            return;
        };
        if mem::replace(held, hold) != hold {
            self.environment().hold(hold);
        }
    }

    /// The connection with this id.
    pub(crate) fn connection(&self, id: u32) -> Option<Arc<Connection>> {
        match self.table.borrow().entries.get(id as usize) {
            Some(Some(Entry::Connection(connection, ..))) => Some(Arc::clone(connection)),
            _ => None,
        }
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
        destroy_context(self.environment().env, former);
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
                    destroy_context(self.environment().env, context);
                    connection.destroy(false);
                }
                Entry::Listener(listener, _) => listener.abandon(),
                Entry::Endpoint(_) | Entry::Task => {}
            }
        }
    }

    /// Lets go of what is JavaScript's: the environment ends, or the library has been collected.
    pub(crate) fn release(&self) {
        if self.is_released.replace(true) {
            return;
        }
        let env = self.environment().env;
        self.meta.release(env);
        // SAFETY: the reference is ours, and no id is left that would use it.
        unsafe { sys::napi_delete_reference(env, self.dispatch) };
    }
}

/// The object of the bridge `data` is gone: nobody can call its functions, and no id of it is in use.
unsafe extern "C" fn on_collected(_: sys::napi_env, data: *mut c_void, _: *mut c_void) {
    catch_panic(|| {
        if let Some(environment) = Environment::existing() {
            environment.forget_bridge(data.addr() as u32);
        }
    });
}
