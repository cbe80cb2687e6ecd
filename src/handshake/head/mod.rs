//! The head of an HTTP/1.1 upgrade message, read as it arrives.
//!
//! Only clean upgrade heads are taken. All else is [`Parsed::NotAnUpgrade`], told at the first byte
//! that makes it so: an HTTP implementation that answers everything takes over from there.

pub mod request;
pub mod response;

use std::mem;
use std::ops::Range;

use crate::handshake::syntax::{is_space, is_token_byte};

/// How large a head may be.
#[derive(Clone, Copy, Debug)]
pub struct HeadLimits {
    /// Bytes of the whole head, its last CRLF included.
    pub max_bytes: usize,
    /// Header lines.
    pub max_lines: usize,
}

impl Default for HeadLimits {
    /// What Node surely takes whole: it may refuse a longer head, and drops further lines.
    fn default() -> Self {
        Self {
            max_bytes: 16 * 1024,
            max_lines: 1000,
        }
    }
}

/// What the bytes of a connection have shown so far.
#[derive(Debug, PartialEq, Eq)]
pub enum Parsed {
    /// More bytes are needed.
    Incomplete,
    /// The head, and the number of bytes it takes; those that follow are frames.
    Head(Head, usize),
    /// Not a clean upgrade, whatever follows.
    NotAnUpgrade,
}

/// A complete head. It holds positions: its methods want the bytes it was read from.
#[derive(Debug, PartialEq, Eq)]
pub struct Head {
    text: Range<usize>,
    fields: Vec<Field>,
}

#[derive(Debug, PartialEq, Eq)]
struct Field {
    name: Range<usize>,
    value: Range<usize>,
}

impl Head {
    /// Latin-1 `text\nname\nvalue\nname\nvalue…`, where text is the request target or the reason
    /// phrase. Names and values are those of Node's `rawHeaders`.
    pub fn flat(&self, bytes: &[u8]) -> Vec<u8> {
        let mut flat = bytes[self.text.clone()].to_vec();
        for Field { name, value } in &self.fields {
            for part in [name, value] {
                flat.push(b'\n');
                flat.extend_from_slice(&bytes[part.clone()]);
            }
        }
        flat
    }
}

/// What tells a request from a response.
pub(super) struct Form {
    /// The first bytes of the head.
    pub prefix: &'static [u8],
    /// Where in the head the target or the reason begins.
    pub text_start: usize,
    /// Bytes of the target or the reason; the first other one begins `suffix`.
    pub is_text_byte: fn(u8) -> bool,
    /// What ends the start line.
    pub suffix: &'static [u8],
    /// Whether there must be a `Host` field.
    pub needs_host: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Prefix,
    Text,
    Suffix { matched: usize },
    LineStart,
    Name,
    BeforeValue,
    Value,
    LineFeed,
    LastLineFeed,
    Complete,
    NotAnUpgrade,
}

/// Reads one head. Each byte is looked at once, however the head is cut.
pub struct HeadParser {
    form: &'static Form,
    limits: HeadLimits,
    state: State,
    /// The byte to look at next.
    position: usize,
    /// Where the name or value that is being read begins.
    start: usize,
    /// The name of the line that is being read.
    name: Range<usize>,
    text: Range<usize>,
    fields: Vec<Field>,
    has_host: bool,
    has_upgrade: bool,
    has_connection_upgrade: bool,
}

impl HeadParser {
    pub(super) fn new(form: &'static Form, limits: HeadLimits) -> Self {
        Self {
            form,
            limits,
            state: State::Prefix,
            position: 0,
            start: 0,
            name: 0..0,
            text: 0..0,
            fields: Vec::new(),
            has_host: false,
            has_upgrade: false,
            has_connection_upgrade: false,
        }
    }

    /// Reads on in `bytes`: all bytes of the connection so far. After a head or `NotAnUpgrade` the
    /// parser is spent and answers `NotAnUpgrade`.
    pub fn parse(&mut self, bytes: &[u8]) -> Parsed {
        let end = bytes.len().min(self.limits.max_bytes);
        while self.position < end && self.state != State::NotAnUpgrade {
            self.state = self.step(bytes);
            self.position += 1;
            if self.state == State::Complete {
                return self.finish();
            }
        }
        if self.state == State::NotAnUpgrade || self.position >= self.limits.max_bytes {
            return Parsed::NotAnUpgrade;
        }
        Parsed::Incomplete
    }

    /// Takes the byte at `position`: the state after it.
    fn step(&mut self, bytes: &[u8]) -> State {
        let at = self.position;
        let byte = bytes[at];
        match self.state {
            State::Prefix if byte != self.form.prefix[at] => State::NotAnUpgrade,
            State::Prefix if at + 1 < self.form.prefix.len() => State::Prefix,
            State::Prefix => State::Text,

            State::Text if (self.form.is_text_byte)(byte) => State::Text,
            State::Text => {
                self.text = self.form.text_start..at;
                self.suffix(0, byte)
            }
            State::Suffix { matched } => self.suffix(matched, byte),

            State::LineStart if byte == b'\r' => State::LastLineFeed,
            State::LineStart if self.fields.len() == self.limits.max_lines => State::NotAnUpgrade,
            State::LineStart if is_token_byte(byte) => {
                self.start = at;
                State::Name
            }
            State::Name if is_token_byte(byte) => State::Name,
            State::Name if byte == b':' => self.end_name(bytes),

            State::BeforeValue if is_space(byte) => State::BeforeValue,
            State::BeforeValue => {
                self.start = at;
                self.value(bytes)
            }
            State::Value => self.value(bytes),

            State::LineFeed if byte == b'\n' => State::LineStart,
            State::LastLineFeed if byte == b'\n' => State::Complete,
            _ => State::NotAnUpgrade,
        }
    }

    fn suffix(&self, matched: usize, byte: u8) -> State {
        let suffix = self.form.suffix;
        let matched = matched + 1;
        if suffix[matched - 1] != byte {
            State::NotAnUpgrade
        } else if matched < suffix.len() {
            State::Suffix { matched }
        } else {
            State::LineStart
        }
    }

    fn end_name(&mut self, bytes: &[u8]) -> State {
        self.name = self.start..self.position;
        let name = &bytes[self.name.clone()];
        let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
        // These change how the message is framed or answered.
        if is(b"content-length") || is(b"transfer-encoding") || is(b"trailer") || is(b"expect") {
            return State::NotAnUpgrade;
        }
        if is(b"host") && mem::replace(&mut self.has_host, true) {
            return State::NotAnUpgrade;
        }
        State::BeforeValue
    }

    fn value(&mut self, bytes: &[u8]) -> State {
        match bytes[self.position] {
            byte if is_field_byte(byte) => State::Value,
            b'\r' => {
                self.end_value(bytes);
                State::LineFeed
            }
            _ => State::NotAnUpgrade,
        }
    }

    fn end_value(&mut self, bytes: &[u8]) {
        let value = &bytes[self.start..self.position];
        let spaces = value.iter().rev().take_while(|byte| is_space(**byte));
        let end = self.position - spaces.count();

        let name = &bytes[self.name.clone()];
        // Node takes neither an empty `Upgrade` nor a `Connection` list with tabs for an upgrade.
        self.has_upgrade |= name.eq_ignore_ascii_case(b"upgrade") && end > self.start;
        self.has_connection_upgrade |= name.eq_ignore_ascii_case(b"connection")
            && !value.contains(&b'\t')
            && names_upgrade(value);
        self.fields.push(Field {
            name: self.name.clone(),
            value: self.start..end,
        });
    }

    fn finish(&mut self) -> Parsed {
        self.state = State::NotAnUpgrade;
        let is_upgrade = self.has_upgrade && self.has_connection_upgrade;
        if !is_upgrade || (self.form.needs_host && !self.has_host) {
            return Parsed::NotAnUpgrade;
        }
        let head = Head {
            text: mem::take(&mut self.text),
            fields: mem::take(&mut self.fields),
        };
        Parsed::Head(head, self.position)
    }
}

/// Tells whether `byte` may stand in a field value or a reason phrase (RFC 9110, section 5.5).
pub(super) const fn is_field_byte(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~' | 0x80..)
}

/// Tells whether a `Connection` value lists `upgrade` (RFC 9110, section 7.6.1).
fn names_upgrade(value: &[u8]) -> bool {
    value
        .split(|byte| *byte == b',')
        .any(|option| option.trim_ascii().eq_ignore_ascii_case(b"upgrade"))
}

#[cfg(test)]
pub(super) mod tests;
