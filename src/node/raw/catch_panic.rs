//! Stops panics at the C boundary.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs what C called. A panic is reported by the default hook and ends here with `None`.
pub(crate) fn catch_panic<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}
