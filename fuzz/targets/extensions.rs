//! What `Sec-WebSocket-Extensions` lists can be written again, and a server's answer to any offer of
//! permessage-deflate is one that a client without wishes of its own takes.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use oxws::handshake::deflate_params::{DeflateOptions, Parameters, Setting, WindowBits};
use oxws::handshake::extensions::{self, Params, Value};

#[derive(Arbitrary, Clone, Copy, Debug)]
struct Options {
    server_no_context_takeover: Option<bool>,
    client_no_context_takeover: Option<bool>,
    server_max_window_bits: Option<Bits>,
    client_max_window_bits: Option<Bits>,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Bits {
    Allowed(bool),
    Number(u8),
}

impl From<Bits> for WindowBits {
    fn from(bits: Bits) -> Self {
        match bits {
            Bits::Allowed(allowed) => Self::Allowed(allowed),
            Bits::Number(number) => Self::Bits((8 + number % 8).into()),
        }
    }
}

impl From<Options> for DeflateOptions {
    fn from(options: Options) -> Self {
        Self {
            server_no_context_takeover: options.server_no_context_takeover,
            client_no_context_takeover: options.client_no_context_takeover,
            server_max_window_bits: options.server_max_window_bits.map(Into::into),
            client_max_window_bits: options.client_max_window_bits.map(Into::into),
        }
    }
}

/// The field that has these parameters.
fn header_of(parameters: &Parameters) -> String {
    let params = parameters.iter().map(|(parameter, setting)| {
        let value = match setting {
            Setting::On => Value::True,
            Setting::Bits(bits) => Value::Text(bits.to_string()),
        };
        (parameter.name().to_owned(), vec![value])
    });
    extensions::format(&[("permessage-deflate".to_owned(), vec![params.collect()])])
}

fn offers(header: &str) -> Vec<Params> {
    let parsed = extensions::parse(header).expect("a field that we wrote");
    parsed.into_iter().flat_map(|(_, offers)| offers).collect()
}

fuzz_target!(|input: (Options, &[u8])| {
    let options = DeflateOptions::from(input.0);
    // Node gives header fields as Latin-1.
    let header: String = input.1.iter().map(|byte| char::from(*byte)).collect();
    let Ok(parsed) = extensions::parse(&header) else {
        return;
    };
    assert_eq!(
        extensions::parse(&extensions::format(&parsed)).as_ref(),
        Ok(&parsed)
    );

    for (_, offered) in &parsed {
        let _ = options.accept_as_client(offered);
        let Ok(accepted) = options.accept_as_server(offered) else {
            continue;
        };
        let parameters = &accepted.all[accepted.index];
        let answer = offers(&header_of(parameters));
        assert_eq!(answer.len(), 1);
        assert!(answer[0].iter().all(|(_, values)| values.len() == 1));
        for (parameter, setting) in parameters.iter() {
            if let Setting::Bits(bits) = setting {
                assert!((8.0..=15.0).contains(&bits), "{parameter:?} {bits}");
            }
        }
        let taken = DeflateOptions::default().accept_as_client(&answer);
        assert_eq!(taken.as_ref().map(|taken| &taken.all[0]), Ok(parameters));
    }

    // What a client offers any server without wishes accepts, but for bits without a number.
    let header = header_of(&options.offer());
    if options.server_max_window_bits != Some(WindowBits::Allowed(true)) {
        let accepted = DeflateOptions::default().accept_as_server(&offers(&header));
        assert!(accepted.is_ok(), "{header}");
    }
});
