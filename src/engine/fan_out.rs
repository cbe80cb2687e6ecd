//! Frames on their way to many connections at once. Whoever sends them only adds them here: the thread that drives, or
//! another one while that is the JS thread, puts them into the connections' queues and writes, step by step.
//!
//! What is done with one connection meanwhile has to come after: what is on its way to that one is [completed](FanOuts::complete_for)
//! first. Each connection remembers the last frame that it got, so that however many threads are at it, none gets one
//! twice, and each gets them in order.

use std::collections::VecDeque;
use std::ops::Range;
use std::slice;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::shared_frame::{Frame, PendingFrame, SharedFrame};
use super::sync::lock;

/// Connections that one step writes to: some milliseconds at most. Then others are polled.
const STEP_CONNECTIONS: usize = 64;

/// Fan-outs to the same receivers that go round together: each connection is written to once.
const TOGETHER: usize = 32;

/// Fan-outs that wait; who adds more has to help.
const MAX_WAITING: usize = 64;

/// Connections that get the same messages. They do not change.
pub trait Receivers: Send + Sync {
    /// How many there are.
    fn count(&self) -> usize;
    /// Puts frames into the queue of one of them, those that it does not have yet, and writes.
    fn receive(&self, index: usize, fan_outs: &[Arc<FanOut>]);
    /// Which one the connection at this address is.
    fn find(&self, address: usize) -> Option<usize>;
}

/// A message to many.
pub struct FanOut {
    receivers: Arc<dyn Receivers>,
    /// By the class of a receiver.
    frames: Vec<Option<Frame>>,
    /// Who is left out, in order.
    left_out: Vec<u32>,
    /// A receiver for whom more bytes wait does not get it.
    most: usize,
    /// Its place in the order of all of them.
    sequence: u64,
}

impl FanOut {
    /// A message to `receivers`, but for those in `left_out` and those for whom more than `most` bytes wait.
    pub fn new(
        receivers: Arc<dyn Receivers>,
        frames: Vec<Option<Frame>>,
        mut left_out: Vec<u32>,
        most: usize,
    ) -> Self {
        left_out.sort_unstable();
        Self {
            receivers,
            frames,
            left_out,
            most,
            sequence: 0,
        }
    }

    /// What the receiver `slot` of a class gets, unless it is left out.
    pub(super) fn frame_for(&self, slot: u32, class: u8) -> Option<&SharedFrame> {
        let frame = self.frames.get(usize::from(class))?.as_ref()?;
        let is_left_out = self.left_out.binary_search(&slot).is_ok();
        (!is_left_out).then(|| frame.get())
    }

    /// Those of its frames that are still to be made.
    pub(super) fn pending(&self) -> impl Iterator<Item = &Arc<PendingFrame>> {
        self.frames.iter().flatten().filter_map(Frame::pending)
    }

    fn is_made(&self) -> bool {
        self.pending().next().is_none()
    }

    pub(super) fn most(&self) -> usize {
        self.most
    }

    pub(super) fn sequence(&self) -> u64 {
        self.sequence
    }

    fn is_to_the_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.receivers, &other.receivers)
    }
}

/// A fan-out on its round: it began with one receiver, and is done when it comes to that one again.
struct Round {
    fan_out: Arc<FanOut>,
    /// How many visits of receivers there had been when it began, and those that it was in without a gap; none before it
    /// has begun.
    visits: Option<Range<usize>>,
}

impl Round {
    fn is_done(&self) -> bool {
        let count = self.fan_out.receivers.count();
        self.visits.as_ref().is_some_and(|it| it.len() >= count)
    }
}

/// Those that wait go round together: a receiver is visited once for all that are there by then, and who comes meanwhile
/// begins where the others are.
#[derive(Default)]
struct Waiting {
    rounds: VecDeque<Round>,
    sequence: u64,
    /// Somebody is about to do the next step.
    is_scheduled: bool,
}

/// What a step is about.
struct Step {
    fan_outs: Vec<Arc<FanOut>>,
    /// The first visit, counted as in [`Round`].
    begin: usize,
}

impl Waiting {
    fn begin_step(&mut self) -> Option<Step> {
        let first = Arc::clone(&self.rounds.front()?.fan_out);
        let together = 1 + self
            .rounds
            .iter()
            .take(TOGETHER)
            .skip(1)
            .take_while(|round| first.is_to_the_same(&round.fan_out) && round.fan_out.is_made())
            .count();
        let begun = self.rounds.iter().filter_map(|round| round.visits.as_ref());
        let begin = begun.map(|visits| visits.end).min().unwrap_or_default();
        let rounds = self.rounds.iter_mut().take(together);
        let fan_outs = rounds
            .map(|round| {
                round.visits.get_or_insert(begin..begin);
                Arc::clone(&round.fan_out)
            })
            .collect();
        Some(Step { fan_outs, begin })
    }

    /// Whether there is one that can be sent.
    fn is_next_made(&self) -> bool {
        let first = self.rounds.front();
        first.is_some_and(|first| first.fan_out.is_made())
    }

    /// So many receivers were visited.
    fn end_step(&mut self, Step { fan_outs, begin }: &Step, visits: usize) {
        for round in self.rounds.iter_mut().take(TOGETHER) {
            // Somebody else may have had others in a step at the same time. No gap is left: a step begins with the visit that
            // any of those in it lacks.
            let was_in = fan_outs.iter().any(|it| Arc::ptr_eq(it, &round.fan_out));
            if was_in && let Some(own) = &mut round.visits {
                own.end = own.end.max(begin + visits);
            }
        }
        while self.rounds.front().is_some_and(Round::is_done) {
            self.rounds.pop_front();
        }
    }
}

/// The fan-outs of an engine that are on their way, in order.
#[derive(Default)]
pub(super) struct FanOuts {
    /// How many there are, for those who have nothing to do with them.
    count: AtomicUsize,
    waiting: Mutex<Waiting>,
}

impl FanOuts {
    /// Whether there are any.
    pub(super) fn is_busy(&self) -> bool {
        self.count.load(Ordering::Acquire) > 0
    }

    /// Adds one. Returns whether a step has to be scheduled.
    pub(super) fn push(&self, mut fan_out: FanOut) -> bool {
        let mut waiting = lock(&self.waiting);
        waiting.sequence += 1;
        fan_out.sequence = waiting.sequence;
        waiting.rounds.push_back(Round {
            fan_out: Arc::new(fan_out),
            visits: None,
        });
        self.count.store(waiting.rounds.len(), Ordering::Release);
        let is_idle = !std::mem::replace(&mut waiting.is_scheduled, true);
        let is_full = waiting.rounds.len() > MAX_WAITING;
        drop(waiting);
        if is_full {
            self.step(usize::MAX);
        }
        is_idle
    }

    /// Does what was scheduled. Returns whether another step has to be: not as long as what is next has to be made, by
    /// somebody else who then [resumes](Self::resume).
    pub(super) fn run(&self) -> bool {
        if lock(&self.waiting).is_next_made() {
            self.step(STEP_CONNECTIONS);
        }
        let mut waiting = lock(&self.waiting);
        waiting.is_scheduled = waiting.is_next_made();
        waiting.is_scheduled
    }

    /// Something was made. Returns whether a step has to be scheduled.
    pub(super) fn resume(&self) -> bool {
        let mut waiting = lock(&self.waiting);
        let is_due = waiting.is_next_made() && !waiting.is_scheduled;
        waiting.is_scheduled |= is_due;
        is_due
    }

    /// Does all of it here and now.
    pub(super) fn finish(&self) {
        while self.is_busy() {
            self.step(usize::MAX);
        }
    }

    /// Forgets all of it: it holds connections, and they the engine that this is part of.
    pub(super) fn clear(&self) {
        let forgotten = std::mem::take(&mut *lock(&self.waiting));
        self.count.store(0, Ordering::Release);
        drop(forgotten);
    }

    fn step(&self, receivers: usize) {
        let Some(step) = lock(&self.waiting).begin_step() else {
            return;
        };
        let Step { fan_outs, begin } = &step;
        let all = &fan_outs[0].receivers;
        let visits = receivers.min(all.count());
        for visit in *begin..begin + visits {
            all.receive(visit % all.count(), fan_outs);
        }
        let mut waiting = lock(&self.waiting);
        waiting.end_step(&step, visits);
        self.count.store(waiting.rounds.len(), Ordering::Release);
    }

    /// Has the connection at `address` get what is on its way to it: something else is about to be done with it.
    pub(super) fn complete_for(&self, address: usize) {
        if !self.is_busy() {
            return;
        }
        let waiting = lock(&self.waiting);
        let fan_outs: Vec<_> = waiting
            .rounds
            .iter()
            .map(|round| Arc::clone(&round.fan_out))
            .collect();
        drop(waiting);
        for fan_out in &fan_outs {
            if let Some(index) = fan_out.receivers.find(address) {
                fan_out.receivers.receive(index, slice::from_ref(fan_out));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::engine::thread_pool::Effort;

    /// Receivers that only note what they got.
    struct Notes(Mutex<Vec<Vec<u64>>>);

    impl Notes {
        fn of(count: usize) -> Arc<Self> {
            Arc::new(Self(Mutex::new(vec![Vec::new(); count])))
        }

        fn all(&self) -> Vec<Vec<u64>> {
            lock(&self.0).clone()
        }
    }

    impl Receivers for Notes {
        fn count(&self) -> usize {
            lock(&self.0).len()
        }

        fn receive(&self, index: usize, fan_outs: &[Arc<FanOut>]) {
            let notes = &mut lock(&self.0)[index];
            for fan_out in fan_outs {
                if notes.last().is_none_or(|last| *last < fan_out.sequence()) {
                    notes.push(fan_out.sequence());
                }
            }
        }

        fn find(&self, address: usize) -> Option<usize> {
            (address < self.count()).then_some(address)
        }
    }

    fn to(receivers: &Arc<Notes>) -> FanOut {
        FanOut::new(Arc::clone(receivers) as _, Vec::new(), Vec::new(), 0)
    }

    #[test]
    fn goes_to_all_in_steps() {
        let fan_outs = FanOuts::default();
        let (many, few) = (Notes::of(3 * STEP_CONNECTIONS), Notes::of(2));
        assert!(fan_outs.push(to(&many)));
        assert!(!fan_outs.push(to(&many)));
        assert!(!fan_outs.push(to(&few)));
        let mut steps = 1;
        while fan_outs.run() {
            steps += 1;
        }
        assert_eq!(steps, 4);
        assert!(!fan_outs.is_busy());
        assert_eq!(many.all(), vec![vec![1, 2]; 3 * STEP_CONNECTIONS]);
        assert_eq!(few.all(), vec![vec![3]; 2]);
        assert!(fan_outs.push(to(&few)));
    }

    #[test]
    fn what_comes_meanwhile_begins_where_the_others_are() {
        let fan_outs = FanOuts::default();
        let notes = Notes::of(2 * STEP_CONNECTIONS);
        let half = |text: Vec<u64>| vec![text; STEP_CONNECTIONS];
        fan_outs.push(to(&notes));
        assert!(fan_outs.run());
        fan_outs.push(to(&notes));
        assert_eq!(notes.all(), [half(vec![1]), half(vec![])].concat());
        assert!(fan_outs.run());
        assert_eq!(notes.all(), [half(vec![1]), half(vec![1, 2])].concat());
        fan_outs.push(to(&notes));
        assert!(fan_outs.run());
        assert_eq!(
            notes.all(),
            [half(vec![1, 2, 3]), half(vec![1, 2])].concat()
        );
        assert!(!fan_outs.run());
        assert!(!fan_outs.is_busy());
        assert_eq!(notes.all(), vec![vec![1, 2, 3]; 2 * STEP_CONNECTIONS]);
    }

    #[test]
    fn what_is_completed_for_one_is_not_sent_again() {
        let fan_outs = FanOuts::default();
        let notes = Notes::of(STEP_CONNECTIONS + 1);
        for _ in 0..3 {
            fan_outs.push(to(&notes));
        }
        fan_outs.complete_for(STEP_CONNECTIONS);
        assert_eq!(notes.all()[STEP_CONNECTIONS], [1, 2, 3]);
        assert_eq!(notes.all()[0], []);
        assert!(fan_outs.run());
        fan_outs.push(to(&notes));
        fan_outs.complete_for(0);
        fan_outs.finish();
        assert_eq!(notes.all(), vec![vec![1, 2, 3, 4]; STEP_CONNECTIONS + 1]);
    }

    #[test]
    fn who_adds_too_many_helps() {
        let fan_outs = FanOuts::default();
        let notes = Notes::of(1);
        for _ in 0..10 * MAX_WAITING {
            fan_outs.push(to(&notes));
            assert!(lock(&fan_outs.waiting).rounds.len() <= MAX_WAITING);
        }
        fan_outs.finish();
        assert!(
            notes.all()[0]
                .iter()
                .copied()
                .eq(1..=10 * MAX_WAITING as u64)
        );
    }

    #[test]
    fn what_is_to_be_made_keeps_its_place_and_no_thread() {
        let fan_outs = FanOuts::default();
        let notes = Notes::of(3);
        let frame = Arc::new(PendingFrame::new(Effort::Large, || SharedFrame {
            bytes: Bytes::new(),
            is_compressed: true,
        }));
        let frames = vec![Some(Frame::Pending(Arc::clone(&frame)))];
        assert!(fan_outs.push(to(&notes)));
        let receivers = Arc::clone(&notes) as Arc<dyn Receivers>;
        fan_outs.push(FanOut::new(receivers, frames, Vec::new(), 0));
        fan_outs.push(to(&notes));
        assert!(!fan_outs.run());
        assert_eq!(notes.all(), vec![vec![1]; 3]);
        assert!(!fan_outs.run() && !fan_outs.resume());
        fan_outs.complete_for(1);
        assert_eq!(notes.all()[1], [1, 2, 3]);
        assert!(frame.begin() && !frame.begin());
        frame.get();
        assert!(fan_outs.resume() && !fan_outs.resume());
        assert!(!fan_outs.run());
        assert_eq!(notes.all(), vec![vec![1, 2, 3]; 3]);
    }

    #[test]
    fn threads_that_meet_keep_the_order() {
        let fan_outs = FanOuts::default();
        let notes = Notes::of(40);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for round in 0..2000 {
                        fan_outs.run();
                        fan_outs.complete_for(round % 50);
                    }
                });
            }
            for _ in 0..500 {
                fan_outs.push(to(&notes));
            }
        });
        fan_outs.finish();
        for received in notes.all() {
            assert!(received.iter().copied().eq(1..=500));
        }
    }
}
