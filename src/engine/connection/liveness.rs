//! Whether a peer still gives signs of life, for those who ask from time to time. The engine has no clock: they bring it.

use std::sync::Arc;

use super::Connection;
use super::state::State;
use crate::engine::sync::lock;

/// What one look at a connection found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Verdict {
    /// There were signs of life not long ago, or a ping has still time to be answered.
    Alive = 0,
    /// It has been silent: it is to be pinged now.
    Silent = 1,
    /// A ping was not answered in time, and nothing else came.
    Dead = 2,
}

/// What was known at the last look. Times are in milliseconds of the asker's clock.
#[derive(Clone, Copy, Default)]
pub(super) struct Liveness {
    /// Bytes read and bytes written by then.
    read: u64,
    written: u64,
    /// The first look that saw the last sign of life; `None` before the first look.
    alive_at: Option<u32>,
    /// When it was found silent, and pinged.
    pinged_at: Option<u32>,
}

impl Connection {
    /// Looks for signs of life at `now`: any byte that came, be it unread in the kernel, and any progress of what is
    /// queued for a slow reader. Silent is who gave none for `silence` milliseconds, dead who gives none for `patience`
    /// more.
    pub fn check_alive(self: &Arc<Self>, now: u32, silence: u32, patience: u32) -> Verdict {
        lock(&self.state).check_alive(now, silence, patience)
    }
}

impl State {
    fn check_alive(&mut self, now: u32, silence: u32, patience: u32) -> Verdict {
        let Some(stream) = &self.stream else {
            return Verdict::Alive;
        };
        let (read, written) = (self.input.bytes, self.output.bytes_written());
        let progresses = written != self.liveness.written && !self.output.is_empty();
        let (Some(alive_at), false) = (
            self.liveness.alive_at,
            read != self.liveness.read || progresses || self.input.is_behind(),
        ) else {
            self.be_alive(now);
            return Verdict::Alive;
        };
        self.liveness.written = written;
        let verdict = match self.liveness.pinged_at {
            Some(pinged_at) if now.wrapping_sub(pinged_at) >= patience => Verdict::Dead,
            None if now.wrapping_sub(alive_at) >= silence => Verdict::Silent,
            _ => return Verdict::Alive,
        };
        // The event loop may have been blocked, or the process stopped: what came meanwhile is not read yet.
        if stream.has_unread() {
            self.be_alive(now);
            return Verdict::Alive;
        }
        if verdict == Verdict::Silent {
            self.liveness.pinged_at = Some(now);
        }
        verdict
    }

    fn be_alive(&mut self, now: u32) {
        self.liveness = Liveness {
            read: self.input.bytes,
            written: self.output.bytes_written(),
            alive_at: Some(now),
            pinged_at: None,
        };
    }
}
