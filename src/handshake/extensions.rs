//! `Sec-WebSocket-Extensions` (RFC 6455, section 9.1).

use std::collections::HashMap;

use super::syntax::{Cursor, SyntaxError};

/// The value of one parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// The parameter stands alone: `true` in JavaScript.
    True,
    /// What follows its `=`, without quotes and escapes.
    Text(String),
}

/// The parameters of one offer: each name once, with all its values, in the order of the field.
pub type Params = Vec<(String, Vec<Value>)>;

/// What a field lists: each extension once, with all its offers, in the order of the field.
pub type Extensions = Vec<(String, Vec<Params>)>;

/// Parses a field value.
pub fn parse(header: &str) -> Result<Extensions, SyntaxError> {
    let mut cursor = Cursor::new(header);
    let mut extensions = Groups::new();
    loop {
        let name = cursor.token()?;
        let mut params = Groups::new();
        let mut separator = cursor.separator(b",;")?;
        while separator == Some(b';') {
            let param = cursor.token()?;
            params.push(param, value(&mut cursor)?);
            separator = cursor.separator(b",;")?;
        }
        extensions.push(name, params.groups);
        if separator.is_none() {
            return Ok(extensions.groups);
        }
    }
}

fn value(cursor: &mut Cursor<'_>) -> Result<Value, SyntaxError> {
    if !cursor.take(b'=') {
        return Ok(Value::True);
    }
    let text = if cursor.take(b'"') {
        cursor.quoted()?
    } else {
        cursor.token()?.to_owned()
    };
    Ok(Value::Text(text))
}

/// Builds a field value.
pub fn format(extensions: &[(String, Vec<Params>)]) -> String {
    let mut header = String::new();
    for (name, offers) in extensions {
        for params in offers {
            if !header.is_empty() {
                header.push_str(", ");
            }
            header.push_str(name);
            for (param, values) in params {
                for value in values {
                    header.push_str("; ");
                    header.push_str(param);
                    if let Value::Text(text) = value {
                        header.push('=');
                        header.push_str(text);
                    }
                }
            }
        }
    }
    header
}

/// Items grouped by name. The index keeps a field of thousands of names from costing their square.
struct Groups<'a, T> {
    groups: Vec<(String, Vec<T>)>,
    index: HashMap<&'a str, usize>,
}

impl<'a, T> Groups<'a, T> {
    fn new() -> Self {
        Self {
            groups: Vec::new(),
            index: HashMap::new(),
        }
    }

    fn push(&mut self, name: &'a str, item: T) {
        let index = *self.index.entry(name).or_insert(self.groups.len());
        match self.groups.get_mut(index) {
            Some((_, items)) => items.push(item),
            None => self.groups.push((name.to_owned(), vec![item])),
        }
    }
}
