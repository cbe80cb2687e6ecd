//! The negotiation of permessage-deflate, for the exported `PerMessageDeflate`.

use napi::bindgen_prelude::*;
use napi_derive::napi;

use crate::handshake::deflate_params::{DeflateOptions, Setting, WindowBits};
use crate::handshake::extensions::{Params, Value};

/// Why a negotiation failed.
#[napi(object, object_from_js = false)]
pub struct DeflateFailure {
    /// The text of the error.
    pub message: String,
    /// Whether it is a TypeError.
    pub is_type_error: bool,
}

/// Which parameters a client with these options offers, a bit each: the first option's is 1, the last one's 8.
#[napi(catch_unwind)]
pub fn offer_deflate(
    server_no_context_takeover: Option<bool>,
    client_no_context_takeover: Option<bool>,
    server_max_window_bits: Option<Either<bool, f64>>,
    client_max_window_bits: Option<Either<bool, f64>>,
) -> u32 {
    let options = DeflateOptions {
        server_no_context_takeover,
        client_no_context_takeover,
        server_max_window_bits: window_bits(server_max_window_bits),
        client_max_window_bits: window_bits(client_max_window_bits),
    };
    let offer = options.offer();
    let bits = offer.iter().map(|(parameter, _)| 1 << parameter as u32);
    bits.sum()
}

/// Chooses among the offers of a client, or checks a server's answer: of each the names and values, one after the
/// other. A name whose value is undefined has none; one with several values is there as often.
///
/// Returns the index of the offer that holds, with the options applied; then of each the names and values, and null at
/// its end.
#[napi(catch_unwind)]
pub fn accept_deflate(
    is_server: bool,
    offers: Vec<Vec<Option<String>>>,
    server_no_context_takeover: Option<bool>,
    client_no_context_takeover: Option<bool>,
    server_max_window_bits: Option<Either<bool, f64>>,
    client_max_window_bits: Option<Either<bool, f64>>,
) -> Either<Vec<Either4<&'static str, bool, f64, Null>>, DeflateFailure> {
    let options = DeflateOptions {
        server_no_context_takeover,
        client_no_context_takeover,
        server_max_window_bits: window_bits(server_max_window_bits),
        client_max_window_bits: window_bits(client_max_window_bits),
    };
    let offers: Vec<Params> = offers.into_iter().map(params_of).collect();
    let accepted = if is_server {
        options.accept_as_server(&offers)
    } else {
        options.accept_as_client(&offers)
    };
    match accepted {
        Ok(accepted) => {
            let mut parts = vec![Either4::C(accepted.index as f64)];
            for offer in &accepted.all {
                for (parameter, setting) in offer.iter() {
                    parts.push(Either4::A(parameter.name()));
                    parts.push(match setting {
                        Setting::On => Either4::B(true),
                        Setting::Bits(bits) => Either4::C(bits),
                    });
                }
                parts.push(Either4::D(Null));
            }
            Either::A(parts)
        }
        Err(error) => Either::B(DeflateFailure {
            message: error.to_string(),
            is_type_error: error.is_type_error(),
        }),
    }
}

fn window_bits(option: Option<Either<bool, f64>>) -> Option<WindowBits> {
    Some(match option? {
        Either::A(allowed) => WindowBits::Allowed(allowed),
        Either::B(bits) => WindowBits::Bits(bits),
    })
}

fn params_of(parts: Vec<Option<String>>) -> Params {
    let mut params = Params::new();
    let mut parts = parts.into_iter();
    while let Some(name) = parts.next().flatten() {
        let value = parts.next().flatten().map_or(Value::True, Value::Text);
        match params.last_mut() {
            Some((last, values)) if *last == name => values.push(value),
            _ => params.push((name, vec![value])),
        }
    }
    params
}
