//! A listening socket and the connections it accepted.

use std::io;
#[cfg(unix)]
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll, Wake, Waker};

#[cfg(unix)]
use socket2::Socket;
use tokio::net::TcpListener;

use super::accept_state::AcceptState;
use super::connection::{Connection, NO_ID, Opening};
use super::events::{Batch, Kind, Origin, Owner};
use super::run_queue::{Pollable, Source};
use super::runtime::Engine;
use super::stream::Stream;
use super::sync::lock;
use crate::handshake::HeadLimits;

/// Connections accepted in one poll: new peers do not starve those that are here.
const ACCEPTS: usize = 64;

/// Listens on the bound TCP socket behind `fd`, by a duplicate of it. Must be called inside [`Engine::enter`].
#[cfg(unix)]
pub fn listen_on(fd: BorrowedFd<'_>, backlog: i32) -> io::Result<TcpListener> {
    let socket = Socket::from(fd.try_clone_to_owned()?);
    socket.set_nonblocking(true)?;
    socket.listen(backlog)?;
    TcpListener::from_std(socket.into())
}

/// A listener of the engine.
pub struct Listener {
    engine: Arc<Engine>,
    bridge: u32,
    limits: HeadLimits,
    shared: Arc<AcceptState>,
    waiting: AtomicBool,
    /// What comes with a connection is read before JavaScript is told of that.
    reads_ahead: AtomicBool,
    acceptor: Mutex<Option<TcpListener>>,
    /// Connections that JavaScript has not been told of, and some that are closed or known.
    accepted: Mutex<Vec<Weak<Connection>>>,
}

impl Listener {
    /// Accepts connections of `bridge` from `acceptor`, each with `limits` on its request's head.
    pub fn start(
        engine: Arc<Engine>,
        bridge: u32,
        acceptor: TcpListener,
        limits: HeadLimits,
    ) -> Arc<Self> {
        Arc::new(Self {
            engine,
            bridge,
            limits,
            shared: Arc::new(AcceptState::new(NO_ID)),
            waiting: AtomicBool::new(false),
            reads_ahead: AtomicBool::new(true),
            acceptor: Mutex::new(Some(acceptor)),
            accepted: Mutex::default(),
        })
    }

    /// The bridge whose table the id is of.
    pub fn bridge(&self) -> u32 {
        self.bridge
    }

    /// The id JavaScript knows the listener by.
    pub fn id(&self) -> u32 {
        self.shared.id()
    }

    /// Gives the listener its id and begins to accept.
    pub fn set_id(self: &Arc<Self>, id: u32) {
        self.shared.set_id(id);
        self.schedule();
    }

    fn schedule(self: &Arc<Self>) {
        if !self.waiting.swap(true, Ordering::AcqRel) {
            self.engine
                .schedule(Pollable::Source(Arc::<Self>::clone(self)));
        }
    }

    /// Accepts again after [`Kind::AcceptFailed`].
    pub fn resume(self: &Arc<Self>) {
        self.schedule();
    }

    /// Connections that are accepted from here on are paused: somebody else may want to read them from their beginning.
    pub fn stop_reading_ahead(&self) {
        self.reads_ahead.store(false, Ordering::Relaxed);
    }

    /// Stops listening. [`Kind::ListenerClosed`] follows when JavaScript knows all connections.
    pub fn close(self: &Arc<Self>) {
        *lock(&self.acceptor) = None;
        self.shared.close(Waker::from(Arc::clone(self)));
        self.schedule();
    }

    /// Closes the socket and the connections that nobody else knows: the environment ends.
    pub fn abandon(&self) {
        *lock(&self.acceptor) = None;
        self.shared.forget();
        for connection in std::mem::take(&mut *lock(&self.accepted)) {
            if let Some(connection) = connection.upgrade() {
                connection.destroy(false);
            }
        }
    }

    fn accept(self: &Arc<Self>, context: &mut Context<'_>, batch: &mut Batch) {
        let acceptor = lock(&self.acceptor);
        let Some(acceptor) = acceptor.as_ref() else {
            if self.shared.take_closed() {
                batch.push(Kind::ListenerClosed, 0);
            }
            return;
        };
        for _ in 0..ACCEPTS {
            match acceptor.poll_accept(context) {
                Poll::Pending => return,
                Poll::Ready(Ok((stream, _))) => self.accepted(Stream::Tcp(stream)),
                Poll::Ready(Err(error)) if is_of_one_connection(&error) => {}
                Poll::Ready(Err(_)) => {
                    batch.push(Kind::AcceptFailed, 0);
                    return;
                }
            }
        }
        self.schedule();
    }

    fn accepted(self: &Arc<Self>, stream: Stream) {
        self.shared.count_accepted();
        // ws and Node's http server do the same; a socket that refuses it works all the same.
        let _ = stream.set_nodelay(true);
        let connection = Connection::start(
            Arc::clone(&self.engine),
            self.bridge,
            stream,
            Opening::Accepted(Arc::clone(&self.shared), self.limits),
        );
        if !self.reads_ahead.load(Ordering::Relaxed) {
            connection.set_paused(true);
        }
        let mut accepted = lock(&self.accepted);
        if accepted.len() == accepted.capacity() {
            accepted.retain(|connection| {
                let connection = connection.upgrade();
                connection.is_some_and(|connection| connection.id() == NO_ID)
            });
        }
        accepted.push(Arc::downgrade(&connection));
    }
}

impl Source for Listener {
    /// Accepts what has come.
    fn poll(self: Arc<Self>, batch: &mut Batch) {
        self.waiting.store(false, Ordering::Release);
        let first = batch.events.len();
        let waker = Waker::from(Arc::clone(&self));
        // What is accepted is registered with the runtime.
        self.engine
            .enter(|| self.accept(&mut Context::from_waker(&waker), batch));
        batch.end_poll(first, Origin::Unit, || Owner::Source(self));
    }
}

impl Wake for Listener {
    fn wake(self: Arc<Self>) {
        self.schedule();
    }
}

/// Errors of `accept` that belong to the connection that was to be accepted, not to the listener.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind;
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted
    )
}
