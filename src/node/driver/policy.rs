//! Which driver suits the load.

/// Weight of one turn in the mean.
const WEIGHT: f64 = 1.0 / 32.0;

/// The mean from which on a thread pays, and up to which it does not. Measured: below, fewer messages pass by thread; above,
/// a wake-up serves so many sockets that as many do. By thread fewer of them come at once, hence the distance between the
/// two: the same connections would otherwise send the driver back and forth.
const TO_THREAD: f64 = 32.0;
const TO_INLINE: f64 = 16.0;

/// Sockets that a message which JavaScript has compressed counts for: compressing takes longer than waking the JS thread.
const COMPRESSED: usize = 32;

/// As many compressed messages as a turn can have move to the thread at once.
const MAX_COMPRESSED: usize = 1024 / COMPRESSED;

/// Turns between two hand-overs of [`Policy::Alternate`].
const ALTERNATION: u32 = 8;

/// How the driver is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    /// The JS thread, always.
    Inline,
    /// A thread, always.
    Thread,
    /// By the load.
    Adaptive,
    /// The other one every few turns: for tests of the hand-over.
    Alternate,
}

/// The mean number of sockets that brought messages each time the JS thread looked: in its own turn, or in all turns of the
/// thread that one wake-up was for. A compressed message counts as several. Sockets that come and go do not count: what a
/// connection takes is JavaScript's work for the most part, and a thread adds to it.
#[derive(Debug)]
pub(crate) struct Load {
    policy: Policy,
    mean: f64,
    turns: u32,
}

impl Load {
    /// No turn yet.
    pub(crate) fn new(policy: Policy) -> Self {
        Self {
            policy,
            mean: 0.0,
            turns: 0,
        }
    }

    /// Counts `sockets` that brought messages, and `compressed` messages to compress; tells whether the JS thread should
    /// drive from here on.
    pub(crate) fn count(&mut self, sockets: usize, compressed: usize, is_inline: bool) -> bool {
        let sockets = sockets + COMPRESSED * compressed.min(MAX_COMPRESSED);
        match self.policy {
            Policy::Inline => true,
            Policy::Thread => false,
            Policy::Alternate => {
                self.turns += 1;
                is_inline != self.turns.is_multiple_of(ALTERNATION)
            }
            Policy::Adaptive => {
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

    /// Counts `turns` turns of `sockets` each and returns who drives then.
    fn drive(load: &mut Load, mut is_inline: bool, sockets: usize, turns: usize) -> bool {
        for _ in 0..turns {
            is_inline = load.count(sockets, 0, is_inline);
        }
        is_inline
    }

    #[test]
    fn pinned_drivers_stay() {
        assert!(drive(&mut Load::new(Policy::Inline), true, 500, 500));
        assert!(!drive(&mut Load::new(Policy::Thread), true, 1, 500));
    }

    #[test]
    fn many_sockets_a_turn_move_to_the_thread_and_few_come_back() {
        let mut load = Load::new(Policy::Adaptive);
        assert!(drive(&mut load, true, 32, 1000));
        assert!(!drive(&mut load, true, 64, 100));
        assert!(!drive(&mut load, false, 20, 1000));
        assert!(drive(&mut load, false, 15, 200));
    }

    #[test]
    fn one_crowded_turn_moves_nothing() {
        let mut load = Load::new(Policy::Adaptive);
        assert!(drive(&mut load, true, 1, 100));
        assert!(load.count(512, 0, true));
        assert!(drive(&mut load, true, 1, 100));
    }

    #[test]
    fn compressed_messages_move_to_the_thread() {
        let mut load = Load::new(Policy::Adaptive);
        assert!(load.count(1, 1, true));
        assert!((0..200).any(|_| !load.count(1, 1, true)));
        let mut load = Load::new(Policy::Adaptive);
        assert!(!load.count(0, 500, true));
        assert!(drive(&mut load, false, 1, 200));
    }

    #[test]
    fn alternation_changes_every_few_turns() {
        let mut load = Load::new(Policy::Alternate);
        let mut is_inline = true;
        let drivers: Vec<bool> = (0..16)
            .map(|_| {
                is_inline = load.count(1, 0, is_inline);
                is_inline
            })
            .collect();
        assert_eq!(drivers.iter().filter(|inline| !**inline).count(), 8);
        assert!(drivers[15]);
    }
}
