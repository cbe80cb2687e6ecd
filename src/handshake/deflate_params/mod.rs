//! The negotiation of permessage-deflate (RFC 7692, section 7), with ws's options.

use std::fmt;

use super::extensions::{Params, Value};
use crate::protocol::Role;

/// A parameter of the extension (RFC 7692, section 7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// `server_no_context_takeover`
    ServerNoContextTakeover,
    /// `client_no_context_takeover`
    ClientNoContextTakeover,
    /// `server_max_window_bits`
    ServerMaxWindowBits,
    /// `client_max_window_bits`
    ClientMaxWindowBits,
}

use Parameter::{
    ClientMaxWindowBits, ClientNoContextTakeover, ServerMaxWindowBits, ServerNoContextTakeover,
};

impl Parameter {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            ServerNoContextTakeover => "server_no_context_takeover",
            ClientNoContextTakeover => "client_no_context_takeover",
            ServerMaxWindowBits => "server_max_window_bits",
            ClientMaxWindowBits => "client_max_window_bits",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [
            ServerNoContextTakeover,
            ClientNoContextTakeover,
            ServerMaxWindowBits,
            ClientMaxWindowBits,
        ]
        .into_iter()
        .find(|parameter| parameter.name() == name)
    }
}

/// What a parameter is set to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Setting {
    /// It is there, without a value.
    On,
    /// A window of 2 to the power of this many bytes: 8 to 15 if the peer said so, else what the options say.
    Bits(f64),
}

/// The parameters of an offer or of a response, in the order in which they are written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parameters(Vec<(Parameter, Setting)>);

impl Parameters {
    /// What `parameter` is set to, if it is there.
    pub fn get(&self, parameter: Parameter) -> Option<Setting> {
        let mut all = self.iter();
        all.find_map(|(known, setting)| (known == parameter).then_some(setting))
    }

    /// All parameters in their order.
    pub fn iter(&self) -> impl Iterator<Item = (Parameter, Setting)> {
        self.0.iter().copied()
    }

    fn has(&self, parameter: Parameter) -> bool {
        self.get(parameter).is_some()
    }

    /// Keeps the place of a parameter that is there already.
    fn set(&mut self, parameter: Parameter, setting: Setting) {
        match self.0.iter_mut().find(|(known, _)| *known == parameter) {
            Some((_, current)) => *current = setting,
            None => self.0.push((parameter, setting)),
        }
    }

    fn remove(&mut self, parameter: Parameter) {
        self.0.retain(|(known, _)| *known != parameter);
    }
}

/// The `serverMaxWindowBits` or `clientMaxWindowBits` option.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum WindowBits {
    /// Whether the parameter may be used at all.
    Allowed(bool),
    /// The number of bits, which nobody checks: any number of JavaScript.
    Bits(f64),
}

/// The options of ws's `perMessageDeflate` that are negotiated. `None` is `undefined`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DeflateOptions {
    /// `serverNoContextTakeover`
    pub server_no_context_takeover: Option<bool>,
    /// `clientNoContextTakeover`
    pub client_no_context_takeover: Option<bool>,
    /// `serverMaxWindowBits`
    pub server_max_window_bits: Option<WindowBits>,
    /// `clientMaxWindowBits`
    pub client_max_window_bits: Option<WindowBits>,
}

impl DeflateOptions {
    /// What a client offers.
    pub fn offer(&self) -> Parameters {
        let mut offer = Parameters::default();
        if self.server_no_context_takeover == Some(true) {
            offer.set(ServerNoContextTakeover, Setting::On);
        }
        if self.client_no_context_takeover == Some(true) {
            offer.set(ClientNoContextTakeover, Setting::On);
        }
        // A client says that it knows `client_max_window_bits` unless told not to.
        let client_bits = self.client_max_window_bits;
        for (parameter, option) in [
            (ServerMaxWindowBits, self.server_max_window_bits),
            (
                ClientMaxWindowBits,
                client_bits.or(Some(WindowBits::Allowed(true))),
            ),
        ] {
            match option {
                Some(WindowBits::Bits(bits)) if bits != 0.0 && !bits.is_nan() => {
                    offer.set(parameter, Setting::Bits(bits));
                }
                Some(WindowBits::Allowed(true)) => offer.set(parameter, Setting::On),
                _ => {}
            }
        }
        offer
    }

    /// What a server answers to `offers`: the first that the options allow, with them applied.
    pub fn accept_as_server(&self, offers: &[Params]) -> Result<Accepted, NegotiationError> {
        let mut all = normalize(offers, Role::Server)?;
        let index = all
            .iter()
            .position(|offer| self.allows(offer))
            .ok_or(NegotiationError::NoAcceptableOffer)?;
        let accepted = &mut all[index];

        if self.server_no_context_takeover == Some(true) {
            accepted.set(ServerNoContextTakeover, Setting::On);
        }
        if self.client_no_context_takeover == Some(true) {
            accepted.set(ClientNoContextTakeover, Setting::On);
        }
        if let Some(WindowBits::Bits(bits)) = self.server_max_window_bits {
            accepted.set(ServerMaxWindowBits, Setting::Bits(bits));
        }
        match (
            self.client_max_window_bits,
            accepted.get(ClientMaxWindowBits),
        ) {
            (Some(WindowBits::Bits(bits)), _) => {
                accepted.set(ClientMaxWindowBits, Setting::Bits(bits));
            }
            (Some(WindowBits::Allowed(false)), _) | (_, Some(Setting::On)) => {
                accepted.remove(ClientMaxWindowBits);
            }
            _ => {}
        }
        Ok(Accepted { all, index })
    }

    /// Checks a server's `response` to the offer. What it holds beyond the first is only looked at
    /// for its form.
    pub fn accept_as_client(&self, response: &[Params]) -> Result<Accepted, NegotiationError> {
        let mut all = normalize(response, Role::Client)?;
        let accepted = all.first_mut().ok_or(NegotiationError::NoAcceptableOffer)?;

        if self.client_no_context_takeover == Some(false) && accepted.has(ClientNoContextTakeover) {
            return Err(NegotiationError::UnexpectedClientNoContextTakeover);
        }
        match (
            self.client_max_window_bits,
            accepted.get(ClientMaxWindowBits),
        ) {
            (Some(WindowBits::Bits(bits)), None) => {
                accepted.set(ClientMaxWindowBits, Setting::Bits(bits));
            }
            (Some(WindowBits::Allowed(false)), Some(_)) => {
                return Err(NegotiationError::UnexpectedClientMaxWindowBits);
            }
            (Some(WindowBits::Bits(most)), Some(Setting::Bits(bits))) if exceeds(bits, most) => {
                return Err(NegotiationError::UnexpectedClientMaxWindowBits);
            }
            _ => {}
        }
        Ok(Accepted { all, index: 0 })
    }

    fn allows(&self, offer: &Parameters) -> bool {
        if self.server_no_context_takeover == Some(false) && offer.has(ServerNoContextTakeover) {
            return false;
        }
        if let Some(Setting::Bits(most)) = offer.get(ServerMaxWindowBits) {
            match self.server_max_window_bits {
                Some(WindowBits::Allowed(false)) => return false,
                Some(WindowBits::Bits(bits)) if exceeds(bits, most) => return false,
                _ => {}
            }
        }
        match (self.client_max_window_bits, offer.get(ClientMaxWindowBits)) {
            // RFC 7692, section 7.1.2.2: what was not offered may not be in the response.
            (Some(WindowBits::Bits(_)), None) => false,
            (Some(WindowBits::Bits(bits)), Some(Setting::Bits(most))) => !exceeds(bits, most),
            _ => true,
        }
    }
}

/// What became of all that the peer sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Accepted {
    /// Each offer, with its values read.
    pub all: Vec<Parameters>,
    /// Which of them holds, with the options applied.
    pub index: usize,
}

/// Why a negotiation failed. `Display` gives the text of ws's error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NegotiationError {
    /// A parameter is given twice in one offer.
    MultipleValues(String),
    /// A parameter has a value that it may not have, or lacks one.
    InvalidValue {
        /// The parameter.
        name: &'static str,
        /// The value as it was written; `true` for none.
        value: String,
    },
    /// The extension has no such parameter.
    UnknownParameter(String),
    /// The options allow none of the offers.
    NoAcceptableOffer,
    /// The server sets `client_no_context_takeover` against the options.
    UnexpectedClientNoContextTakeover,
    /// The server sets `client_max_window_bits` against the options.
    UnexpectedClientMaxWindowBits,
}

impl NegotiationError {
    /// Whether ws throws a `TypeError` rather than an `Error`.
    pub const fn is_type_error(&self) -> bool {
        matches!(self, Self::InvalidValue { .. })
    }
}

impl fmt::Display for NegotiationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MultipleValues(name) => {
                write!(f, "Parameter \"{name}\" must have only a single value")
            }
            Self::InvalidValue { name, value } => {
                write!(f, "Invalid value for parameter \"{name}\": {value}")
            }
            Self::UnknownParameter(name) => write!(f, "Unknown parameter \"{name}\""),
            Self::NoAcceptableOffer => f.write_str("None of the extension offers can be accepted"),
            Self::UnexpectedClientNoContextTakeover => {
                f.write_str("Unexpected parameter \"client_no_context_takeover\"")
            }
            Self::UnexpectedClientMaxWindowBits => {
                f.write_str("Unexpected or invalid parameter \"client_max_window_bits\"")
            }
        }
    }
}

/// Turns what was parsed into parameters, all offers before any is chosen.
fn normalize(offers: &[Params], role: Role) -> Result<Vec<Parameters>, NegotiationError> {
    let parameters = |params: &Params| {
        let settings = params
            .iter()
            .map(|(name, values)| setting(name, values, role));
        settings.collect::<Result<_, _>>().map(Parameters)
    };
    offers.iter().map(parameters).collect()
}

fn setting(
    name: &str,
    values: &[Value],
    role: Role,
) -> Result<(Parameter, Setting), NegotiationError> {
    let [value] = values else {
        return Err(NegotiationError::MultipleValues(name.to_owned()));
    };
    let Some(parameter) = Parameter::from_name(name) else {
        return Err(NegotiationError::UnknownParameter(name.to_owned()));
    };
    let setting = match (parameter, value) {
        (ServerNoContextTakeover | ClientNoContextTakeover, Value::True) => Some(Setting::On),
        (ClientMaxWindowBits, Value::True) if role == Role::Server => Some(Setting::On),
        (ServerMaxWindowBits | ClientMaxWindowBits, Value::Text(text)) => {
            window_bits(text).map(Setting::Bits)
        }
        _ => None,
    };
    let Some(setting) = setting else {
        return Err(NegotiationError::InvalidValue {
            name: parameter.name(),
            value: match value {
                Value::True => "true".to_owned(),
                Value::Text(text) => text.clone(),
            },
        });
    };
    Ok((parameter, setting))
}

/// Whether an option is beyond what the peer said, or the reverse. NaN is beyond nothing, as in JavaScript.
fn exceeds(bits: f64, most: f64) -> bool {
    bits > most
}

/// The window bits that `text` names, read as JavaScript reads a number: `08`, `1e1` and `0xa` are
/// numbers too, and there may be space around.
fn window_bits(text: &str) -> Option<f64> {
    let text = text.trim_matches(is_space);
    let (radix, digits) = match text.split_at_checked(2) {
        Some(("0x" | "0X", digits)) => (16, digits),
        Some(("0o" | "0O", digits)) => (8, digits),
        Some(("0b" | "0B", digits)) => (2, digits),
        _ => (10, text),
    };
    let number: f64 = if radix == 10 {
        digits.parse().ok()?
    } else if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        u32::from_str_radix(digits, radix).ok()?.into()
    } else {
        return None;
    };
    ((8.0..=15.0).contains(&number) && number.fract() == 0.0).then_some(number)
}

/// What JavaScript takes for space.
fn is_space(character: char) -> bool {
    match character {
        '\u{85}' => false,
        '\u{feff}' => true,
        _ => character.is_whitespace(),
    }
}

#[cfg(test)]
mod tests;
