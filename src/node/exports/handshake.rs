//! Header fields of the opening handshake, for requests and responses that Node's http reads and writes.

use napi::bindgen_prelude::*;
use napi_derive::napi;

use crate::handshake::syntax::SyntaxError;
use crate::handshake::{extensions, keys, subprotocol};

/// What a `Sec-WebSocket-Protocol` header offers.
#[napi(object, object_from_js = false)]
pub struct Subprotocols {
    /// In the order of preference. If the header names one twice, this is that name, twice.
    pub names: Vec<String>,
    /// Where the header cannot be parsed: the index of a character, -1 for its end.
    pub error: Option<i32>,
}

/// Parses a `Sec-WebSocket-Extensions` header and writes it without space and quotes, with ", " between offers and "; "
/// between parameters. The offers are sorted by where their name is first seen, and so are the parameters of each. A
/// number is where the header cannot be parsed: the index of a character, -1 for its end.
#[napi(catch_unwind)]
pub fn parse_extensions(header: String) -> Either<String, i32> {
    match extensions::parse(&header) {
        Ok(extensions) => Either::A(extensions::format(&extensions)),
        Err(error) => Either::B(position_of(&error)),
    }
}

/// Parses a `Sec-WebSocket-Protocol` header of a request.
#[napi(catch_unwind)]
pub fn parse_subprotocols(header: String) -> Subprotocols {
    match subprotocol::parse(&header) {
        Ok(names) => Subprotocols { names, error: None },
        Err(SyntaxError::DuplicateSubprotocol(name)) => Subprotocols {
            names: vec![name.clone(), name],
            error: None,
        },
        Err(error) => Subprotocols {
            names: Vec::new(),
            error: Some(position_of(&error)),
        },
    }
}

fn position_of(error: &SyntaxError) -> i32 {
    match error {
        SyntaxError::UnexpectedCharacter(index) => i32::try_from(*index).unwrap_or(i32::MAX),
        SyntaxError::UnexpectedEnd | SyntaxError::DuplicateSubprotocol(_) => -1,
    }
}

/// The `Sec-WebSocket-Accept` value that answers a `Sec-WebSocket-Key`.
#[napi(catch_unwind)]
pub fn accept_key(key: String) -> String {
    keys::accept_key(key.as_bytes())
}

/// A new `Sec-WebSocket-Key`.
#[napi(catch_unwind)]
pub fn generate_key() -> String {
    keys::generate_key()
}
