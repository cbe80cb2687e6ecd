//! What is sent.

use std::str::FromStr;

/// The kind of a message's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Random bytes, sent as binary messages.
    Binary,
    /// Letters and blanks, sent as text.
    Ascii,
    /// Characters of one to four bytes, sent as text.
    Unicode,
    /// A document of records, sent as text.
    Json,
}

impl FromStr for Content {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        match name {
            "binary" => Ok(Self::Binary),
            "ascii" => Ok(Self::Ascii),
            "unicode" => Ok(Self::Unicode),
            "json" => Ok(Self::Json),
            _ => Err(()),
        }
    }
}

impl Content {
    /// Whether it goes as a text message.
    pub fn is_text(self) -> bool {
        self != Self::Binary
    }

    /// `count` different messages of `size` bytes, the same ones in every run.
    pub fn messages(self, size: usize, count: usize) -> Vec<Vec<u8>> {
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        (0..count)
            .map(|_| self.message(size, &mut random))
            .collect()
    }

    fn message(self, size: usize, random: &mut Random) -> Vec<u8> {
        match self {
            Self::Binary => (0..size).map(|_| random.next() as u8).collect(),
            Self::Ascii => text(size, random, "abcdefghijklmnopqrstuvwxyz     "),
            Self::Unicode => text(size, random, "aeiouäößéñçžłøдзиязんにほ日本語한국어🙂🚀"),
            Self::Json => json(size, random),
        }
    }
}

/// Characters of `alphabet`; blanks where none of them fits any more.
fn text(size: usize, random: &mut Random, alphabet: &str) -> Vec<u8> {
    let alphabet: Vec<char> = alphabet.chars().collect();
    let mut text = String::with_capacity(size);
    while text.len() + 4 <= size {
        text.push(alphabet[random.below(alphabet.len())]);
    }
    padded(text, size)
}

fn json(size: usize, random: &mut Random) -> Vec<u8> {
    const NAMES: &[&str] = &[
        "amber", "birch", "cedar", "daisy", "elder", "fennel", "ginger",
    ];
    let mut text = String::from("{\"records\":[");
    loop {
        let record = format!(
            "{{\"id\":{},\"name\":\"{} {}\",\"price\":{}.{:02},\"active\":{},\"tags\":[\"{}\",\"{}\"]}}",
            random.below(1_000_000),
            NAMES[random.below(NAMES.len())],
            NAMES[random.below(NAMES.len())],
            random.below(1000),
            random.below(100),
            random.below(2) == 0,
            NAMES[random.below(NAMES.len())],
            NAMES[random.below(NAMES.len())],
        );
        if text.len() + record.len() + 3 > size {
            break;
        }
        if !text.ends_with('[') {
            text.push(',');
        }
        text.push_str(&record);
    }
    text.push_str("]}");
    padded(text, size)
}

fn padded(text: String, size: usize) -> Vec<u8> {
    let mut bytes = text.into_bytes();
    bytes.resize(size, b' ');
    bytes
}

/// xorshift64*: good enough to be incompressible.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32
    }

    fn below(&mut self, limit: usize) -> usize {
        self.next() as usize % limit
    }
}
