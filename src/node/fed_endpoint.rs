//! Endpoints whose bytes JavaScript carries.

use std::sync::{Arc, Mutex, PoisonError};

use super::bridge::Bridge;
use crate::engine::Batch;
use crate::protocol::Endpoint;
use crate::protocol::receiver::InflateJob;

/// Where a job that has run waits for its endpoint.
#[derive(Clone, Default)]
pub(super) struct Returned(Arc<Mutex<Option<InflateJob>>>);

impl Returned {
    pub(super) fn put(&self, job: InflateJob) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(job);
    }

    fn take(&self) -> Option<InflateJob> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// An endpoint, and its job that is out.
pub(super) struct FedEndpoint {
    pub(super) endpoint: Box<Endpoint>,
    returned: Returned,
}

impl FedEndpoint {
    /// `returned` is where its job comes back to, if one is out already.
    pub(super) fn new(endpoint: Box<Endpoint>, returned: Returned) -> Self {
        Self { endpoint, returned }
    }

    /// Adds what `bytes` mean. If something has to be inflated first, that is a task of `bridge`: returns its id.
    pub(super) fn feed(
        &mut self,
        bridge: &Bridge,
        bytes: &mut [u8],
        batch: &mut Batch,
    ) -> Option<u32> {
        batch.feed(&mut self.endpoint, bytes);
        self.begin_job(bridge)
    }

    /// The task is over: adds what it brought, and what the bytes behind it mean. Returns the id of the next one.
    pub(super) fn finish(&mut self, bridge: &Bridge, batch: &mut Batch) -> Option<u32> {
        batch.finish(&mut self.endpoint, self.returned.take()?);
        self.begin_job(bridge)
    }

    fn begin_job(&mut self, bridge: &Bridge) -> Option<u32> {
        let mut job = self.endpoint.take_job()?;
        let returned = self.returned.clone();
        Some(bridge.run_task(move || {
            job.run();
            returned.put(job);
            Ok(Vec::new())
        }))
    }
}
