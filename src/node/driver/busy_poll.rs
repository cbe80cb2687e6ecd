//! Looking for events for a moment longer before the event loop sleeps, where peers answer at once.
//!
//! A thread that sleeps is told late: waking it takes longer than most peers on the same machine take to answer. With few
//! messages under way at a time that is most of what each of them costs, in time and in CPU.

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::time::{Duration, Instant};

use crate::node::raw::uv::{Uv, is_readable};

/// How long to look: about as long as it takes to sleep and be woken.
const LIMIT: Duration = Duration::from_micros(50);

/// An answer that takes longer, with the waking of this thread in it, would not have come within [`LIMIT`].
const PROMPT: Duration = Duration::from_micros(150);

/// What comes within this time was there already: the event loop would not have slept.
const AT_ONCE: Duration = Duration::from_micros(4);

/// Whose answers are waited for: so many connections that were sent to last. An answer of another one is none.
const RECIPIENTS: usize = 16;

/// What a prompt answer counts, and what is taken for each that was there already, that is slow or of another one, and for
/// each time that we have looked in vain.
const ANSWER: u32 = 8;
const THERE: u32 = 1;
const SLOW: u32 = 2 * ANSWER;
const IN_VAIN: u32 = 4 * ANSWER;

/// From this sum on the next answer is likely to be prompt.
const LIKELY: u32 = 16 * ANSWER;

/// The largest sum.
const SURE: u32 = 2 * LIKELY;

/// Messages that are not waited for once it has turned out to be in vain: twice as many each time, up to the second figure.
const FIRST_PAUSE: u32 = 64;
const LONGEST_PAUSE: u32 = 2048;

/// Decides when the event loop does not sleep at once, and then looks for events. JS thread only.
pub(crate) struct BusyPoll {
    uv: Uv,
    event_loop: *mut c_void,
    /// When the event loop began to wait, if something was sent before.
    wait_began: Cell<Option<Instant>>,
    prospect: RefCell<Prospect>,
}

impl BusyPoll {
    /// Looks for the events of `event_loop`, which must be there as long as this is used.
    pub(crate) fn new(uv: Uv, event_loop: *mut c_void) -> Self {
        Self {
            uv,
            event_loop,
            wait_began: Cell::default(),
            prospect: RefCell::new(Prospect::new()),
        }
    }

    /// The event loop is about to wait for events; `has_sent` since it did so last. Waits here for a moment if an answer is
    /// likely to come.
    pub(crate) fn begin_wait(&self, has_sent: bool) {
        let began = has_sent.then(Instant::now);
        self.wait_began.set(began);
        if let Some(began) = began
            && self.prospect.borrow().is_likely()
            && self.sleeps()
            && !look_until(began + LIMIT, self.uv.fd_of(self.event_loop))
        {
            self.wait_began.set(None);
            self.prospect.borrow_mut().end_in_vain();
        }
    }

    /// How long it has waited after something was sent, if it has: asked for once.
    pub(crate) fn end_wait(&self) -> Option<Duration> {
        self.wait_began.take().map(|began| began.elapsed())
    }

    /// A message has come after such a wait: from one of those that were sent to last, or not.
    pub(crate) fn count(&self, wait: Duration, is_answer: bool) {
        self.prospect.borrow_mut().count(wait, is_answer);
    }

    /// Whether the event loop would sleep, and not only look for events or end.
    fn sleeps(&self) -> bool {
        // SAFETY: the event loop is there as long as the environment whose driver this is.
        unsafe { (self.uv.backend_timeout)(self.event_loop) != 0 }
    }
}

/// Looks for what `fd` is to be read for. Returns false if there was nothing by then, also if there is once we have noticed:
/// a peer that needs this processor answers when we have lost it.
fn look_until(end: Instant, fd: i32) -> bool {
    loop {
        let is_readable = is_readable(fd);
        if Instant::now() >= end {
            return false;
        }
        if is_readable {
            return true;
        }
    }
}

/// The connections that were sent to last, by their addresses: nothing but these is asked of them.
#[derive(Default)]
pub(crate) struct Recipients {
    addresses: [Cell<usize>; RECIPIENTS],
    last: Cell<usize>,
    has_new: Cell<bool>,
}

impl Recipients {
    /// Something was sent to the one at `address`.
    pub(crate) fn add(&self, address: usize) {
        self.has_new.set(true);
        let last = self.last.get();
        if self.addresses[last].get() != address {
            let next = (last + 1) % RECIPIENTS;
            self.addresses[next].set(address);
            self.last.set(next);
        }
    }

    /// Whether it is one of them.
    pub(crate) fn has(&self, address: usize) -> bool {
        self.addresses.iter().any(|each| each.get() == address)
    }

    /// Whether something was sent since this was last asked.
    pub(crate) fn take_new(&self) -> bool {
        self.has_new.take()
    }
}

/// How likely the next answer is to come in a moment, by how long the last ones took.
struct Prospect {
    /// The sum, from 0 to [`SURE`].
    sum: u32,
    /// Messages that are still not to be waited for.
    pause: u32,
    next_pause: u32,
}

impl Prospect {
    fn new() -> Self {
        Self {
            sum: 0,
            pause: 0,
            next_pause: FIRST_PAUSE,
        }
    }

    fn is_likely(&self) -> bool {
        self.sum >= LIKELY
    }

    /// A message has come after a wait: an answer, or not.
    fn count(&mut self, wait: Duration, is_answer: bool) {
        if self.pause > 0 {
            self.pause -= 1;
        } else if wait < AT_ONCE {
            self.sum = self.sum.saturating_sub(THERE);
        } else if is_answer && wait <= PROMPT {
            self.sum = SURE.min(self.sum + ANSWER);
            if self.sum == SURE {
                self.next_pause = FIRST_PAUSE;
            }
        } else {
            self.sum = self.sum.saturating_sub(SLOW);
        }
    }

    /// Nothing has come while we looked.
    fn end_in_vain(&mut self) {
        self.sum = self.sum.saturating_sub(IN_VAIN);
        if !self.is_likely() {
            self.sum = 0;
            self.pause = self.next_pause;
            self.next_pause = LONGEST_PAUSE.min(2 * self.next_pause);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_micros(20);

    fn answer(prospect: &mut Prospect, wait: Duration, times: u32) -> bool {
        for _ in 0..times {
            prospect.count(wait, true);
        }
        prospect.is_likely()
    }

    #[test]
    #[cfg(unix)]
    fn it_looks_until_there_is_something_or_the_end() {
        use std::io::Write;
        use std::os::fd::AsRawFd;
        use std::os::unix::net::UnixStream;

        let (ours, mut theirs) = UnixStream::pair().expect("a pair");
        let end = Instant::now() + Duration::from_millis(1);
        assert!(!look_until(end, ours.as_raw_fd()));
        assert!(Instant::now() >= end);
        theirs.write_all(b"hi").expect("room");
        let later = Instant::now() + Duration::from_secs(60);
        assert!(look_until(later, ours.as_raw_fd()));
        assert!(!look_until(end, ours.as_raw_fd()));
    }

    #[test]
    fn prompt_answers_make_the_next_one_likely() {
        let mut prospect = Prospect::new();
        assert!(!answer(&mut prospect, SHORT, LIKELY / ANSWER - 1));
        assert!(answer(&mut prospect, PROMPT, 1));
        assert!(answer(&mut prospect, SHORT, 1000));
        assert!(answer(&mut prospect, 2 * PROMPT, (SURE - LIKELY) / SLOW));
        assert!(!answer(&mut prospect, 2 * PROMPT, 1));
    }

    #[test]
    fn what_is_there_at_once_was_not_waited_for() {
        let mut prospect = Prospect::new();
        assert!(!answer(&mut prospect, Duration::ZERO, 1000));
        assert!(answer(&mut prospect, SHORT, SURE / ANSWER));
        assert!(!answer(
            &mut prospect,
            Duration::ZERO,
            (SURE - LIKELY) / THERE + 1
        ));
    }

    #[test]
    fn messages_of_others_are_no_answers() {
        let mut prospect = Prospect::new();
        for _ in 0..1000 {
            prospect.count(SHORT, false);
        }
        assert!(!prospect.is_likely());
        // Two of three are: as often as not it would be in vain.
        for _ in 0..1000 {
            answer(&mut prospect, SHORT, 2);
            prospect.count(SHORT, false);
        }
        assert!(!prospect.is_likely());
    }

    /// Peers that answer a little later than we look: each time it is found out after twice as many waits.
    #[test]
    fn looking_in_vain_is_tried_less_and_less_often() {
        let mut prospect = Prospect::new();
        let mut vain = 0;
        for _ in 0..1_000_000 {
            if prospect.is_likely() {
                vain += 1;
                prospect.end_in_vain();
            }
            prospect.count(PROMPT, true);
        }
        assert_eq!(vain, 489);
        // Peers that have become prompt are waited for again.
        assert!(answer(&mut prospect, SHORT, LONGEST_PAUSE + SURE));
        assert_eq!(prospect.next_pause, FIRST_PAUSE);
    }

    #[test]
    fn a_late_answer_now_and_then_changes_nothing() {
        let mut prospect = Prospect::new();
        answer(&mut prospect, SHORT, SURE / ANSWER);
        for _ in 0..1000 {
            prospect.end_in_vain();
            assert!(answer(&mut prospect, SHORT, 4));
        }
    }

    #[test]
    fn recipients_are_the_last_ones() {
        let recipients = Recipients::default();
        assert!(!recipients.take_new());
        for address in 1..=RECIPIENTS + 1 {
            recipients.add(address);
            recipients.add(address);
        }
        assert!(recipients.take_new() && !recipients.take_new());
        assert!(!recipients.has(1));
        assert!((2..=RECIPIENTS + 1).all(|address| recipients.has(address)));
    }
}
