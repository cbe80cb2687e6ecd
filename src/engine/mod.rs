//! Sockets on a tokio runtime: listening, dialling, reading, writing. Knows the protocol, knows nothing of N-API.
//!
//! One [`Engine`] serves one JavaScript environment. The thread that drives it (the JS thread or the I/O thread) takes what
//! is ready and polls each once ([`Pollable::poll`]); what a poll produces are events in a [`Batch`].

mod accept_state;
mod address;
mod connection;
mod errno;
mod events;
mod fan_out;
mod file_lock;
mod hub;
mod listener;
mod out_queue;
mod reactor_fd;
mod run_queue;
mod runtime;
mod shared_frame;
mod stream;
pub(crate) mod sync;
mod task;
mod thread_pool;
pub mod tls;
mod topics;

pub use address::{Address, socket_address};
pub use connection::{
    Connection, DIRECT_WRITE, Flush, NO_ID, Opening, Receiver, ReceiverList, SharedSend, Taking,
    Verdict,
};
pub use errno::errno;
pub use events::{Batch, Event, Kind, Origin, Owner, Place, PollEvents};
pub use fan_out::{FanOut, Receivers};
pub use file_lock::try_lock;
pub use hub::HubMember;
pub use listener::Listener;
#[cfg(unix)]
pub use listener::listen_on;
pub use run_queue::Pollable;
pub use runtime::Engine;
pub use shared_frame::{Frame, PendingFrame, SharedFrame};
pub use stream::{DialError, Probes, READ_SIZE, Stream};
pub use task::{Outcome, Task};
pub use thread_pool::{Effort, limit_jobs};
pub use topics::{Change, INDIRECT, Topics};
