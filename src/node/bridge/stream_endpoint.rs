//! Stream endpoints: those whose bytes JavaScript carries, from and to a stream of its own.

use std::borrow::Cow;
use std::sync::{Arc, Mutex};

use super::Bridge;
use crate::engine::sync::lock;
use crate::engine::{Batch, Effort};
use crate::protocol::deflate::DeflateJob;
use crate::protocol::receiver::InflateJob;
use crate::protocol::{Endpoint, FrameFlags};

/// Where a job that has run waits for its endpoint.
pub(crate) struct Returned<T>(Arc<Mutex<Option<T>>>);

impl<T> Default for Returned<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> Clone for Returned<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Returned<T> {
    pub(crate) fn put(&self, job: T) {
        *lock(&self.0) = Some(job);
    }

    fn take(&self) -> Option<T> {
        lock(&self.0).take()
    }
}

/// An endpoint, and its jobs that are out.
pub(crate) struct StreamEndpoint {
    pub(crate) protocol: Box<Endpoint>,
    inflated: Returned<InflateJob>,
    deflated: Returned<DeflateJob>,
}

impl StreamEndpoint {
    /// `inflated` is where its job comes back to, if one is out already.
    pub(crate) fn new(endpoint: Box<Endpoint>, inflated: Returned<InflateJob>) -> Self {
        Self {
            protocol: endpoint,
            inflated,
            deflated: Returned::default(),
        }
    }

    /// Adds what `chunk` means, see [`Batch::feed_chunk`]. If something has to be inflated first, that is a task of
    /// `bridge`: returns its id.
    pub(crate) fn feed(
        &mut self,
        bridge: &Bridge,
        chunk: &mut [u8],
        batch: &mut Batch,
    ) -> Option<u32> {
        batch.feed_chunk(&mut self.protocol, chunk);
        self.begin_job(bridge)
    }

    /// The task is over: adds what it brought, and what the bytes after it mean. Returns the id of the next one.
    pub(crate) fn finish(&mut self, bridge: &Bridge, batch: &mut Batch) -> Option<u32> {
        batch.finish(&mut self.protocol, self.inflated.take()?);
        self.begin_job(bridge)
    }

    fn begin_job(&mut self, bridge: &Bridge) -> Option<u32> {
        let mut job = self.protocol.take_job()?;
        let inflated = self.inflated.clone();
        Some(bridge.run_task(Effort::Large, move || {
            job.run();
            inflated.put(job);
            Ok(Vec::new())
        }))
    }

    /// Begins to compress and frame a payload, as a task of `bridge`: returns its id. Nothing if it is not to be
    /// compressed.
    pub(crate) fn begin_frame(
        &mut self,
        bridge: &Bridge,
        payload: Cow<'_, [u8]>,
        flags: FrameFlags,
        key: [u8; 4],
    ) -> Option<u32> {
        let mut job = self.protocol.deflate_job(payload, flags, key)?;
        let deflated = self.deflated.clone();
        Some(bridge.run_task(Effort::of(job.payload_len()), move || {
            job.run();
            deflated.put(job);
            Ok(Vec::new())
        }))
    }

    /// The task is over: the frame that it made.
    pub(crate) fn finish_frame(&mut self) -> Option<Vec<u8>> {
        let job = self.deflated.take()?;
        Some(self.protocol.finish_deflate_job(job))
    }
}
