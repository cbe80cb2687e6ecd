//! permessage-deflate without a connection, for the exported `PerMessageDeflate`. Contexts are never reset by
//! themselves: that class decides.

use napi::bindgen_prelude::*;
use napi_derive::napi;

use crate::protocol::deflate::{self, DeflateParams, InflateParams};

/// Compresses messages.
#[napi]
pub struct Deflater {
    params: DeflateParams,
    inner: deflate::Deflater,
}

#[napi]
impl Deflater {
    /// Arguments as zlib's, the window as the base-2 logarithm of its size.
    #[napi(constructor, catch_unwind)]
    pub fn new(window_bits: u8, level: i8, mem_level: u8, strategy: u8) -> Self {
        let params = DeflateParams {
            window_bits,
            no_context_takeover: false,
            level,
            mem_level,
            strategy,
        };
        Self {
            params,
            inner: deflate::Deflater::new(params),
        }
    }

    /// The compressed form of a message, or of a fragment of one; `fin` with its last fragment.
    #[napi(catch_unwind)]
    pub fn deflate(&mut self, data: &[u8], fin: bool) -> Buffer {
        let mut output = Vec::new();
        self.inner.compress(data, fin, &mut output);
        exact(output)
    }

    /// Forgets all messages so far, and frees the memory for them.
    #[napi(catch_unwind)]
    pub fn reset(&mut self) {
        self.inner = deflate::Deflater::new(self.params);
    }
}

/// Inflates messages.
#[napi]
pub struct Inflater {
    params: InflateParams,
    inner: deflate::Inflater,
}

/// Why a message could not be inflated.
#[napi(object, object_from_js = false)]
pub struct InflateFailure {
    /// The number of a violation.
    pub kind: u32,
    /// The value that its text names.
    pub detail: u32,
}

#[napi]
impl Inflater {
    /// The window as the base-2 logarithm of its size.
    #[napi(constructor, catch_unwind)]
    pub fn new(window_bits: u8) -> Self {
        let params = InflateParams {
            window_bits,
            no_context_takeover: false,
        };
        Self {
            params,
            inner: deflate::Inflater::new(params),
        }
    }

    /// What a message, or a fragment of one, inflates to; `fin` with its last fragment. At most `max_length` bytes, 0
    /// for no limit. After a failure the inflater is spent.
    #[napi(catch_unwind)]
    pub fn inflate(
        &mut self,
        data: &[u8],
        fin: bool,
        max_length: f64,
    ) -> Either<Buffer, InflateFailure> {
        let mut output = Vec::new();
        let result = self
            .inner
            .inflate(data, fin, max_length as u64, &mut output);
        match result {
            Ok(()) => Either::A(exact(output)),
            Err(violation) => Either::B(InflateFailure {
                kind: violation.kind(),
                detail: violation.detail(),
            }),
        }
    }

    /// Forgets all messages so far, and frees the memory for them.
    #[napi(catch_unwind)]
    pub fn reset(&mut self) {
        self.inner = deflate::Inflater::new(self.params);
    }
}

/// A Buffer of these bytes that pins no more than them.
fn exact(mut bytes: Vec<u8>) -> Buffer {
    bytes.shrink_to_fit();
    bytes.into()
}
