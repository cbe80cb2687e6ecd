//! Frames that many connections get.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use bytes::Bytes;

use super::thread_pool::Effort;

/// A message that is framed, for connections that do not mask.
#[derive(Clone)]
pub struct SharedFrame {
    /// The frame.
    pub bytes: Bytes,
    /// It was compressed, on its own, with a window that the receivers have.
    pub is_compressed: bool,
}

/// A frame that takes long to make. Whoever needs it first makes it, and others wait for that.
pub struct PendingFrame {
    frame: LazyLock<SharedFrame, Box<dyn FnOnce() -> SharedFrame + Send>>,
    effort: Effort,
    is_begun: AtomicBool,
    is_made: AtomicBool,
}

impl PendingFrame {
    /// One that `make` makes.
    pub fn new(effort: Effort, make: impl FnOnce() -> SharedFrame + Send + 'static) -> Self {
        Self {
            frame: LazyLock::new(Box::new(make)),
            effort,
            is_begun: AtomicBool::new(false),
            is_made: AtomicBool::new(false),
        }
    }

    pub(super) fn get(&self) -> &SharedFrame {
        let frame = LazyLock::force(&self.frame);
        self.is_made.store(true, Ordering::Release);
        frame
    }

    pub(super) fn effort(&self) -> Effort {
        self.effort
    }

    /// Whether nobody has begun to make it; somebody is about to from here on.
    pub(super) fn begin(&self) -> bool {
        !self.is_begun.swap(true, Ordering::AcqRel)
    }

    fn is_made(&self) -> bool {
        self.is_made.load(Ordering::Acquire)
    }
}

/// The frame of a message.
#[derive(Clone)]
pub enum Frame {
    /// It is there.
    Made(SharedFrame),
    /// It may have to be made.
    Pending(Arc<PendingFrame>),
}

impl Frame {
    /// The frame, made here if need be.
    pub fn get(&self) -> &SharedFrame {
        match self {
            Self::Made(frame) => frame,
            Self::Pending(frame) => frame.get(),
        }
    }

    /// What has to be made before it can be sent.
    pub fn pending(&self) -> Option<&Arc<PendingFrame>> {
        match self {
            Self::Pending(frame) if !frame.is_made() => Some(frame),
            _ => None,
        }
    }
}
