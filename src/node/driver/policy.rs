//! Which driver suits the load, see [`Policy`].

/// Weight of one count in the mean.
const WEIGHT: f64 = 1.0 / 32.0;

/// The mean from which on the I/O thread pays, and up to which it does not. Measured: below, fewer messages pass with the
/// thread; above, a wake-up serves so many sockets that as many do. With the thread fewer of them come at once, hence the
/// distance between the two: the same connections would otherwise send the driver back and forth.
const TO_THREAD: f64 = 32.0;
const TO_INLINE: f64 = 16.0;

/// Sockets that a message which JavaScript has compressed counts for: compressing takes longer than waking the JS thread.
const COMPRESSED: usize = 32;

/// So many compressed messages in one count move to the I/O thread at once.
const MAX_COMPRESSED: usize = 1024 / COMPRESSED;

/// Counts between two changes of [`Choice::Alternate`].
const ALTERNATION: u32 = 8;

/// How the driver is chosen: `OXWS_DRIVER`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// The JS thread, always.
    Inline,
    /// The I/O thread, always.
    Thread,
    /// By the load.
    Adaptive,
    /// The other one every few counts, for tests of the change.
    Alternate,
}

/// Chooses the driver by a mean: how many sockets brought messages in one round of polls on the JS thread, or in all rounds of
/// the I/O thread that one wake-up was for. A compressed message counts as several. Connection churn is ignored: what a
/// connection takes is JavaScript's work for the most part, and a thread adds to it.
#[derive(Debug)]
pub(crate) struct Policy {
    choice: Choice,
    mean: f64,
    counts: u32,
}

impl Policy {
    /// Nothing counted yet.
    pub(crate) fn new(choice: Choice) -> Self {
        Self {
            choice,
            mean: 0.0,
            counts: 0,
        }
    }

    /// Counts `sockets` that brought messages, and `compressed` messages to compress; tells whether the JS thread should
    /// drive from here on.
    pub(crate) fn count(&mut self, sockets: usize, compressed: usize, is_inline: bool) -> bool {
        let sockets = sockets + COMPRESSED * compressed.min(MAX_COMPRESSED);
        match self.choice {
            Choice::Inline => true,
            Choice::Thread => false,
            Choice::Alternate => {
                self.counts += 1;
                is_inline != self.counts.is_multiple_of(ALTERNATION)
            }
            Choice::Adaptive => {
                self.mean += (sockets as f64 - self.mean) * WEIGHT;
                if is_inline {
                    self.mean < TO_THREAD
                } else {
                    self.mean <= TO_INLINE
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts `sockets` as often as `times` says. Returns whether the JS thread drives then.
    fn drive(policy: &mut Policy, mut is_inline: bool, sockets: usize, times: usize) -> bool {
        for _ in 0..times {
            is_inline = policy.count(sockets, 0, is_inline);
        }
        is_inline
    }

    #[test]
    fn pinned_drivers_stay() {
        assert!(drive(&mut Policy::new(Choice::Inline), true, 500, 500));
        assert!(!drive(&mut Policy::new(Choice::Thread), true, 1, 500));
    }

    #[test]
    fn many_sockets_at_once_move_to_the_thread_and_few_come_back() {
        let mut policy = Policy::new(Choice::Adaptive);
        assert!(drive(&mut policy, true, 32, 1000));
        assert!(!drive(&mut policy, true, 64, 100));
        assert!(!drive(&mut policy, false, 20, 1000));
        assert!(drive(&mut policy, false, 15, 200));
    }

    #[test]
    fn one_crowded_round_moves_nothing() {
        let mut policy = Policy::new(Choice::Adaptive);
        assert!(drive(&mut policy, true, 1, 100));
        assert!(policy.count(512, 0, true));
        assert!(drive(&mut policy, true, 1, 100));
    }

    #[test]
    fn compressed_messages_move_to_the_thread() {
        let mut policy = Policy::new(Choice::Adaptive);
        assert!(policy.count(1, 1, true));
        assert!((0..200).any(|_| !policy.count(1, 1, true)));
        let mut policy = Policy::new(Choice::Adaptive);
        assert!(!policy.count(0, 500, true));
        assert!(drive(&mut policy, false, 1, 200));
    }

    #[test]
    fn alternation_changes_every_few_counts() {
        let mut policy = Policy::new(Choice::Alternate);
        let mut is_inline = true;
        let drivers: Vec<bool> = (0..16)
            .map(|_| {
                is_inline = policy.count(1, 0, is_inline);
                is_inline
            })
            .collect();
        assert_eq!(drivers.iter().filter(|inline| !**inline).count(), 8);
        assert!(drivers[15]);
    }
}
