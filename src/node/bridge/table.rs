//! What the ids of a bridge stand for.

use std::ptr;
use std::sync::Arc;

use napi::sys;

use super::stream_endpoint::StreamEndpoint;
use crate::engine::{Connection, HubMember, Listener, ReceiverList};

/// What an id stands for.
pub(crate) enum Entry {
    /// A connection, whether it keeps the event loop alive, and its async context; null if it has none.
    Connection(Arc<Connection>, bool, sys::napi_async_context),
    /// A listener, and whether it keeps the event loop alive.
    Listener(Arc<Listener>, bool),
    /// A stream endpoint; taken out while it is fed.
    Endpoint(Option<Box<StreamEndpoint>>),
    /// A task that is not over.
    Task,
    /// A member of a hub.
    HubMember(Arc<HubMember>),
}

impl Entry {
    /// A connection that keeps the event loop alive.
    pub(crate) fn connection(connection: &Arc<Connection>) -> Self {
        Self::Connection(Arc::clone(connection), true, ptr::null_mut())
    }

    /// Whether it keeps the event loop alive.
    pub(super) fn is_ref(&self) -> bool {
        matches!(
            self,
            Self::Connection(_, true, _) | Self::Listener(_, true) | Self::Task
        )
    }
}

/// The entries by id, and the ids that are free.
#[derive(Default)]
pub(super) struct Table {
    pub(super) entries: Vec<Option<Entry>>,
    pub(super) free: Vec<u32>,
    pub(super) used: usize,
    /// Whom the last broadcast went to, as long as no id is freed: the next one goes to the same ones, as a rule.
    pub(super) audience: Option<Audience>,
}

/// The connections with these ids, four bytes each.
pub(super) struct Audience {
    pub(super) ids: Vec<u8>,
    pub(super) receivers: Arc<ReceiverList>,
}
