//! Whether a peer still gives signs of life, for those who ask from time to time. They bring the time.

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

/// What is to be seen of a connection.
pub(super) struct Signs {
    /// Bytes read and bytes written so far.
    pub(super) read: u64,
    pub(super) written: u64,
    /// Something is queued, so that bytes written are progress of a slow reader.
    pub(super) is_queued: bool,
    /// What was read has still to be delivered.
    pub(super) has_undelivered: bool,
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

impl Liveness {
    /// Looks at `now`; `has_unread` tells whether the kernel has something to read. Silent is who gave no sign for `silence`
    /// milliseconds, dead who gives none for `timeout` more.
    pub(super) fn check(
        &mut self,
        signs: &Signs,
        has_unread: impl FnOnce() -> bool,
        now: u32,
        silence: u32,
        timeout: u32,
    ) -> Verdict {
        let progresses = signs.written != self.written && signs.is_queued;
        let (Some(alive_at), false) = (
            self.alive_at,
            signs.read != self.read || progresses || signs.has_undelivered,
        ) else {
            self.be_alive(signs, now);
            return Verdict::Alive;
        };
        self.written = signs.written;
        let verdict = match self.pinged_at {
            Some(pinged_at) if now.wrapping_sub(pinged_at) >= timeout => Verdict::Dead,
            None if now.wrapping_sub(alive_at) >= silence => Verdict::Silent,
            _ => return Verdict::Alive,
        };
        // The event loop may have been blocked, or the process stopped: what came meanwhile is not read yet.
        if has_unread() {
            self.be_alive(signs, now);
            return Verdict::Alive;
        }
        if verdict == Verdict::Silent {
            self.pinged_at = Some(now);
        }
        verdict
    }

    fn be_alive(&mut self, signs: &Signs, now: u32) {
        *self = Self {
            read: signs.read,
            written: signs.written,
            alive_at: Some(now),
            pinged_at: None,
        };
    }
}
