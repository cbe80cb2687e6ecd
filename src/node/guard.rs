//! The border that no panic crosses.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs what C called. A panic is reported by the default hook and ends here with `None`.
pub(super) fn guard<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}
