//! One zlib context a thread that is kept for the next message.
//!
//! Where messages are compressed each on its own a context lasts one message. They are hundreds of KiB, and an allocator
//! that gets and gives back such blocks among small ones grows without end (glibc 2.36).

use std::cell::RefCell;

use zlib_rs::{Deflate, Inflate};

use super::DeflateParams;

thread_local! {
    static DEFLATE: RefCell<Option<(DeflateParams, Box<Deflate>)>> = const { RefCell::new(None) };
    static INFLATE: RefCell<Option<Box<Inflate>>> = const { RefCell::new(None) };
}

/// A context as new for these parameters, if the spare one is of them.
pub(super) fn take_deflate(params: &DeflateParams) -> Option<Box<Deflate>> {
    DEFLATE.with_borrow_mut(|spare| {
        let (_, mut context) = spare.take_if(|(kept, _)| kept == params)?;
        context.reset();
        Some(context)
    })
}

/// Keeps a context that is done with.
pub(super) fn give_deflate(params: DeflateParams, context: Box<Deflate>) {
    DEFLATE.with_borrow_mut(|spare| *spare = Some((params, context)));
}

/// A context as new with a window of 15 bits, which reads any stream.
pub(super) fn take_inflate() -> Option<Box<Inflate>> {
    INFLATE.with_borrow_mut(|spare| {
        let mut context = spare.take()?;
        context.reset(false);
        Some(context)
    })
}

/// Keeps a context that is done with.
pub(super) fn give_inflate(context: Box<Inflate>) {
    INFLATE.with_borrow_mut(|spare| *spare = Some(context));
}
