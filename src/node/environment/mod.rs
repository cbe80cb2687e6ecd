//! What one JavaScript environment (the main thread, a worker) has: an engine, a driver, and bridges to deliver to.

mod cleanup;
mod polls;

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use napi::{Error, Result, sys};

use super::bridge::delivery::Delivery;
use super::bridge::{Bridge, Parts};
use super::driver::loop_ref::LoopRef;
use super::driver::sends::Sends;
use super::driver::wakeup::Wakeup;
use super::raw::uv::Uv;
use crate::engine::Engine;
use cleanup::{Cleanup, Current};
use polls::Driver;

thread_local! {
    /// One a thread: Node runs one environment on each.
    static CURRENT: RefCell<Current> = const { RefCell::new(Current(None)) };
}

/// The state of one environment. JS thread only, but for what is in an `Arc`.
pub(crate) struct Environment {
    env: sys::napi_env,
    engine: Arc<Engine>,
    wakeup: Arc<Wakeup>,
    driver: Driver,
    sends: Rc<Sends>,
    delivery: Delivery,
    cleanup: Cleanup,
    /// Nothing may run any more.
    is_closed: Cell<bool>,
    /// What lives as long as JavaScript may run.
    kept: RefCell<Vec<Box<dyn Any>>>,
}

impl Environment {
    /// This thread's environment, made when first asked for. Not every host whose process has libuv can be driven by it.
    pub(crate) fn current(env: sys::napi_env, has_uv: bool) -> Result<Rc<Self>> {
        if let Some(environment) = Self::existing() {
            return Ok(environment);
        }
        let environment = Self::start(env, has_uv)?;
        CURRENT.with(|current| current.borrow_mut().0 = Some(Rc::clone(&environment)));
        Ok(environment)
    }

    /// This thread's environment, unless it is gone.
    pub(crate) fn existing() -> Option<Rc<Self>> {
        CURRENT
            .try_with(|current| current.borrow().0.clone())
            .ok()
            .flatten()
    }

    fn start(env: sys::napi_env, has_uv: bool) -> Result<Rc<Self>> {
        let wakeup = Arc::new(Wakeup::new());
        let engine = Engine::new({
            let wakeup = Arc::clone(&wakeup);
            move || wakeup.send_if_idle()
        })
        .map_err(|error| Error::from_reason(format!("oxws cannot start its engine: {error}")))?;
        let parts = Parts {
            env,
            engine: Arc::clone(&engine),
            loop_ref: Rc::new(LoopRef::new(env, Arc::clone(&wakeup))),
            slabs: Rc::default(),
        };
        let sends = Rc::new(Sends::new());
        let environment = Rc::new(Self {
            env,
            engine,
            wakeup,
            driver: Driver::new(),
            delivery: Delivery::new(parts, Rc::clone(&sends))?,
            sends,
            cleanup: Cleanup::default(),
            is_closed: Cell::new(false),
            kept: RefCell::default(),
        });
        let uv = Uv::find().filter(|_| has_uv);
        let started = environment
            .start_driver(uv)
            .and_then(|()| environment.add_cleanup(uv.is_some()));
        if started.is_err() {
            environment.close();
            environment.delivery.release();
        }
        started.map(|()| environment)
    }

    /// What decides when sends leave.
    pub(crate) fn sends(&self) -> &Sends {
        &self.sends
    }

    /// What calls JavaScript.
    pub(crate) fn delivery(&self) -> &Delivery {
        &self.delivery
    }

    /// The bridge with this index.
    pub(crate) fn bridge(&self, index: u32) -> Option<Rc<Bridge>> {
        self.delivery.bridge(index)
    }

    /// Keeps `what` as long as JavaScript may run, and tells where it is.
    pub(crate) fn keep<T: Any>(&self, what: T) -> *const T {
        let what = Box::new(what);
        let place = &raw const *what;
        self.kept.borrow_mut().push(what);
        place
    }

    /// A copy of the library has been collected. In the end that is [`Environment::close`]'s.
    pub(crate) fn forget_bridge(&self, index: u32) {
        if let Some(bridge) = self.bridge(index)
            && !self.is_closed.get()
            && self.cleanup.is_async()
        {
            bridge.release();
        }
    }
}

/// The bridge with this index in the environment of this thread.
pub(crate) fn bridge_of(index: u32) -> Result<Rc<Bridge>> {
    Environment::existing()
        .and_then(|environment| environment.bridge(index))
        .ok_or_else(|| Error::from_reason("no such bridge"))
}
