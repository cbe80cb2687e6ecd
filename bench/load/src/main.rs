//! The load generator of the benchmark: one thread, one epoll, no runtime, so that it costs less per message than any
//! server it loads. It checks what comes back, byte for byte.
//!
//! `load <mode> key=value …`; the modes and their settings are in [`MODES`]. The result is one line of JSON.

mod broadcast;
mod connect;
mod content;
mod crowd;
mod deflate;
mod dial;
mod echo;
mod frame;
mod histogram;
mod idle;
mod meter;
mod script;
mod serve;
mod settings;
mod tape;
mod tls;
mod transport;
mod usage;

use std::error::Error;
use std::process::ExitCode;

use settings::Settings;

/// Anything that ends a run: there is nobody to handle it but the reader.
pub type Failure = Box<dyn Error>;

type Mode = (&'static str, fn(&Settings) -> Result<(), Failure>);

const MODES: &[Mode] = &[
    // port connections window size content deflate tls; seconds warmup watch
    ("echo", echo::run),
    // port connections window size content deflate tls; seconds warmup watch
    ("broadcast", broadcast::run),
    // port connections tls; seconds warmup watch
    ("connect", connect::run),
    // port size content deflate tls; then lines on stdin
    ("idle", idle::run),
    // addresses port window; then lines on stdin
    ("crowd", crowd::run),
    // key cert, or neither; an echo server, prints its port
    ("serve", serve::run),
];

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let Some((_, run)) = MODES.iter().find(|mode| mode.0 == name) else {
        eprintln!("load: no mode {name:?}");
        return ExitCode::FAILURE;
    };
    match run(&Settings::new(arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load {name}: {error}");
            ExitCode::FAILURE
        }
    }
}
