//! One zlib context a thread that is kept for the next message.
//!
//! Where messages are compressed each on its own a context lasts one message. They are hundreds of KiB, and an allocator
//! that gets and gives back such blocks among small ones grows without end (glibc 2.36). Messages are compressed when the
//! process exits, too, and then the thread may have none any more.

use std::cell::RefCell;

use zlib_rs::{Deflate, Inflate};

use super::DeflateParams;

thread_local! {
    static DEFLATE: RefCell<Option<(DeflateParams, Box<Deflate>)>> = const { RefCell::new(None) };
    static INFLATE: RefCell<Option<Box<Inflate>>> = const { RefCell::new(None) };
}

/// A context as new for these parameters, if the spare one is of them.
pub(super) fn take_deflate(params: &DeflateParams) -> Option<Box<Deflate>> {
    let take = |spare: &RefCell<Option<_>>| spare.borrow_mut().take_if(|(kept, _)| kept == params);
    let (_, mut context) = DEFLATE.try_with(take).ok()??;
    context.reset();
    Some(context)
}

/// Keeps a context that is done with.
pub(super) fn give_deflate(params: DeflateParams, context: Box<Deflate>) {
    let _ = DEFLATE.try_with(|spare| spare.replace(Some((params, context))));
}

/// A context as new with a window of 15 bits, which reads any stream.
pub(super) fn take_inflate() -> Option<Box<Inflate>> {
    let mut context = INFLATE.try_with(RefCell::take).ok()??;
    context.reset(false);
    Some(context)
}

/// Keeps a context that is done with.
pub(super) fn give_inflate(context: Box<Inflate>) {
    let _ = INFLATE.try_with(|spare| spare.replace(Some(context)));
}
