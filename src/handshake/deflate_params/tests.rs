use super::*;
use crate::handshake::extensions;

const EXTENSION: &str = "permessage-deflate";

fn option(text: &str) -> Option<WindowBits> {
    match text {
        "-" => None,
        "true" => Some(WindowBits::Allowed(true)),
        "false" => Some(WindowBits::Allowed(false)),
        bits => Some(WindowBits::Bits(bits.parse().unwrap())),
    }
}

fn window_options(server: &str, client: &str) -> DeflateOptions {
    DeflateOptions {
        server_max_window_bits: option(server),
        client_max_window_bits: option(client),
        ..DeflateOptions::default()
    }
}

fn takeover_options(server: Option<bool>, client: Option<bool>) -> DeflateOptions {
    DeflateOptions {
        server_no_context_takeover: server,
        client_no_context_takeover: client,
        ..DeflateOptions::default()
    }
}

/// The offers of a field value written without the extension's name: `/` between offers.
fn offers(text: &str) -> Vec<Params> {
    let offers = text.split('/').map(|params| match params.trim() {
        "" => EXTENSION.to_owned(),
        params => format!("{EXTENSION}; {params}"),
    });
    let header = offers.collect::<Vec<_>>().join(", ");
    extensions::parse(&header).unwrap().remove(0).1
}

/// The parameters as a field has them.
fn written(parameters: &Parameters) -> String {
    let params = parameters.iter().map(|(parameter, setting)| match setting {
        Setting::On => parameter.name().to_owned(),
        Setting::Bits(bits) => format!("{}={bits}", parameter.name()),
    });
    params.collect::<Vec<_>>().join("; ")
}

fn text(result: Result<Accepted, NegotiationError>) -> String {
    match result {
        Ok(accepted) => written(&accepted.all[accepted.index]),
        Err(error) if error.is_type_error() => format!("TypeError: {error}"),
        Err(error) => format!("Error: {error}"),
    }
}

fn as_server(options: DeflateOptions, offered: &str) -> String {
    text(options.accept_as_server(&offers(offered)))
}

fn as_client(options: DeflateOptions, response: &str) -> String {
    text(options.accept_as_client(&offers(response)))
}

const NONE: &str = "Error: None of the extension offers can be accepted";

#[test]
fn a_client_offers_its_options() {
    for (server, client, offered) in [
        ("-", "-", "client_max_window_bits"),
        ("-", "true", "client_max_window_bits"),
        ("-", "false", ""),
        ("-", "0", ""),
        ("0", "false", ""),
        ("true", "false", "server_max_window_bits"),
        ("NaN", "NaN", ""),
        ("-1", "0", "server_max_window_bits=-1"),
        (
            "10",
            "11",
            "server_max_window_bits=10; client_max_window_bits=11",
        ),
    ] {
        assert_eq!(written(&window_options(server, client).offer()), offered);
    }
    for (server, client, offered) in [
        (
            Some(true),
            None,
            "server_no_context_takeover; client_max_window_bits",
        ),
        (
            Some(false),
            Some(true),
            "client_no_context_takeover; client_max_window_bits",
        ),
    ] {
        assert_eq!(written(&takeover_options(server, client).offer()), offered);
    }
}

#[test]
fn a_server_answers_in_the_order_of_the_offer() {
    let all = "client_max_window_bits=11; server_max_window_bits=10; \
        client_no_context_takeover; server_no_context_takeover";
    assert_eq!(as_server(DeflateOptions::default(), all), all);
    assert_eq!(as_server(DeflateOptions::default(), ""), "");
    assert_eq!(
        as_server(
            takeover_options(Some(true), Some(true)),
            "client_no_context_takeover"
        ),
        "client_no_context_takeover; server_no_context_takeover"
    );
}

#[test]
fn a_server_negotiates_window_bits() {
    for (server, client, offered, answer) in [
        ("-", "-", "client_max_window_bits", ""),
        ("-", "true", "client_max_window_bits", ""),
        (
            "-",
            "true",
            "client_max_window_bits=9",
            "client_max_window_bits=9",
        ),
        ("-", "false", "client_max_window_bits=9", ""),
        ("-", "false", "client_max_window_bits", ""),
        (
            "-",
            "10",
            "client_max_window_bits",
            "client_max_window_bits=10",
        ),
        (
            "-",
            "10",
            "client_max_window_bits=10",
            "client_max_window_bits=10",
        ),
        (
            "-",
            "10",
            "client_max_window_bits=15",
            "client_max_window_bits=10",
        ),
        ("-", "10", "client_max_window_bits=9", NONE),
        ("-", "10", "", NONE),
        (
            "true",
            "-",
            "server_max_window_bits=9",
            "server_max_window_bits=9",
        ),
        ("false", "-", "server_max_window_bits=9", NONE),
        ("false", "-", "", ""),
        ("11", "-", "", "server_max_window_bits=11"),
        (
            "11",
            "-",
            "server_max_window_bits=11",
            "server_max_window_bits=11",
        ),
        ("11", "-", "server_max_window_bits=10", NONE),
        (
            "11",
            "-",
            "server_max_window_bits=10 / ",
            "server_max_window_bits=11",
        ),
        ("9.5", "-", "server_max_window_bits=9", NONE),
        (
            "9.5",
            "-",
            "server_max_window_bits=10",
            "server_max_window_bits=9.5",
        ),
        (
            "NaN",
            "NaN",
            "client_max_window_bits=8; server_max_window_bits=8",
            "client_max_window_bits=NaN; server_max_window_bits=NaN",
        ),
        (
            "12",
            "11",
            "client_max_window_bits=13; server_max_window_bits=14",
            "client_max_window_bits=11; server_max_window_bits=12",
        ),
    ] {
        let options = window_options(server, client);
        assert_eq!(
            as_server(options, offered),
            answer,
            "{server} {client} {offered}"
        );
    }
}

#[test]
fn a_server_may_refuse_to_drop_its_context() {
    let options = takeover_options(Some(false), Some(false));
    assert_eq!(as_server(options, "server_no_context_takeover"), NONE);
    assert_eq!(
        as_server(
            options,
            "server_no_context_takeover / client_no_context_takeover"
        ),
        "client_no_context_takeover"
    );
}

#[test]
fn a_client_checks_the_response() {
    let all = "server_no_context_takeover; client_no_context_takeover; \
        server_max_window_bits=10; client_max_window_bits=11";
    assert_eq!(as_client(DeflateOptions::default(), all), all);
    assert_eq!(
        as_client(
            takeover_options(Some(false), Some(false)),
            "client_no_context_takeover"
        ),
        "Error: Unexpected parameter \"client_no_context_takeover\""
    );

    let unexpected = "Error: Unexpected or invalid parameter \"client_max_window_bits\"";
    for (client, response, accepted) in [
        ("10", "", "client_max_window_bits=10"),
        ("10", "client_max_window_bits=9", "client_max_window_bits=9"),
        (
            "10",
            "client_max_window_bits=10",
            "client_max_window_bits=10",
        ),
        ("10", "client_max_window_bits=11", unexpected),
        ("false", "client_max_window_bits=11", unexpected),
        ("false", "", ""),
        (
            "true",
            "client_max_window_bits=8",
            "client_max_window_bits=8",
        ),
        (
            "-",
            "server_max_window_bits=8 / ",
            "server_max_window_bits=8",
        ),
    ] {
        assert_eq!(as_client(window_options("-", client), response), accepted);
    }
    assert_eq!(text(DeflateOptions::default().accept_as_client(&[])), NONE);
}

#[test]
fn all_offers_are_read_whichever_holds() {
    let options = window_options("12", "-");
    let offered = offers(
        "server_max_window_bits=9 / client_max_window_bits=10 / server_max_window_bits=\"015\"",
    );
    let Accepted { all, index } = options.accept_as_server(&offered).unwrap();
    assert_eq!(index, 1);
    assert_eq!(
        all.iter().map(written).collect::<Vec<_>>(),
        [
            "server_max_window_bits=9",
            "client_max_window_bits=10; server_max_window_bits=12",
            "server_max_window_bits=15",
        ]
    );
}

#[test]
fn every_offer_must_be_well_formed() {
    for (params, error) in [
        ("foo", "Error: Unknown parameter \"foo\""),
        ("__proto__", "Error: Unknown parameter \"__proto__\""),
        ("/ foo=1", "Error: Unknown parameter \"foo\""),
        (
            "a; a",
            "Error: Parameter \"a\" must have only a single value",
        ),
        (
            "client_max_window_bits=8; client_max_window_bits=8",
            "Error: Parameter \"client_max_window_bits\" must have only a single value",
        ),
        (
            "server_no_context_takeover=true",
            "TypeError: Invalid value for parameter \"server_no_context_takeover\": true",
        ),
        (
            "client_no_context_takeover=10",
            "TypeError: Invalid value for parameter \"client_no_context_takeover\": 10",
        ),
        (
            "server_max_window_bits",
            "TypeError: Invalid value for parameter \"server_max_window_bits\": true",
        ),
        (
            "server_max_window_bits=7",
            "TypeError: Invalid value for parameter \"server_max_window_bits\": 7",
        ),
        (
            "client_max_window_bits=16",
            "TypeError: Invalid value for parameter \"client_max_window_bits\": 16",
        ),
    ] {
        assert_eq!(as_server(DeflateOptions::default(), params), error);
        assert_eq!(as_client(DeflateOptions::default(), params), error);
    }
    assert_eq!(
        as_client(DeflateOptions::default(), "client_max_window_bits"),
        "TypeError: Invalid value for parameter \"client_max_window_bits\": true"
    );
}

#[test]
fn window_bits_are_javascript_numbers() {
    for (text, bits) in [
        ("8", 8),
        ("15", 15),
        ("010", 10),
        ("+9", 9),
        ("9.", 9),
        ("9.0", 9),
        (".9e1", 9),
        ("100E-1", 10),
        ("0xa", 10),
        ("0XF", 15),
        ("0o12", 10),
        ("0O17", 15),
        ("0b1010", 10),
        ("0B1000", 8),
        ("0x00000000000000000000a", 10),
        ("\u{feff} 9\n\u{2028}", 9),
    ] {
        assert_eq!(window_bits(text), Some(f64::from(bits)), "{text}");
    }
    for text in [
        "", "7", "16", "-8", "8.5", "0x", "0x+a", "0b2", "+0xa", "1e", "e1", ".", "+", "1_0",
        "ten", "inf", "nan", "Infinity", "1e400", "9n", "0\u{e9}", "\u{85}9", "0x 9",
    ] {
        assert_eq!(window_bits(text), None, "{text}");
    }
}
