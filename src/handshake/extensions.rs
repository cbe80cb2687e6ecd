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

#[cfg(test)]
mod tests {
    use super::SyntaxError::{UnexpectedCharacter, UnexpectedEnd};
    use super::*;
    use proptest::prelude::*;

    /// `[name;param:value…]` for each offer, in the order of the names.
    fn show(header: &str) -> Result<String, SyntaxError> {
        let mut shown = String::new();
        for (name, offers) in parse(header)? {
            for params in offers {
                shown += &format!("[{name}");
                for (param, values) in params {
                    for value in values {
                        shown += &match value {
                            Value::True => format!(";{param}"),
                            Value::Text(text) => format!(";{param}:{text}"),
                        };
                    }
                }
                shown += "]";
            }
        }
        Ok(shown)
    }

    #[test]
    fn groups_by_name() {
        for (header, shown) in [
            ("foo", "[foo]"),
            ("foo;bar;baz=1;bar=2", "[foo;bar;bar:2;baz:1]"),
            ("foo,bar;baz,foo;baz", "[foo][foo;baz][bar;baz]"),
            (
                "foo; bar\t; \tbaz=1\t ;  bar=\"1\"\t\t, \tqux\t ;norf",
                "[foo;bar;bar:1;baz:1][qux;norf]",
            ),
            (
                "__proto__, toString; constructor; __proto__=1",
                "[__proto__][toString;constructor;__proto__:1]",
            ),
        ] {
            assert_eq!(show(header), Ok(shown.into()), "{header:?}");
        }
    }

    #[test]
    fn unquotes_values() {
        for (header, shown) in [
            ("a;b=\"hi\"", "[a;b:hi]"),
            ("a;b=\"\\0\"", "[a;b:0]"),
            ("a;b=\"b\\a\\z\"", "[a;b:baz]"),
            ("a;b=\"b\\az\";b", "[a;b:baz;b]"),
            ("a;b=\"true\"", "[a;b:true]"),
        ] {
            assert_eq!(show(header), Ok(shown.into()), "{header:?}");
        }
    }

    #[test]
    fn says_where_it_fails() {
        for (header, index) in [
            (",", 0),
            (" foo", 0),
            ("\"foo\"", 0),
            ("f oo", 2),
            ("f=o", 1),
            ("f@o", 1),
            ("\u{e9}", 0),
            ("foo,,", 4),
            ("foo,  ,", 6),
            ("foo;=", 4),
            ("foo; ;", 5),
            ("foo;ba r", 7),
            ("foo;bar =", 8),
            ("foo;\"bar\"", 4),
            ("foo;bar=,", 8),
            ("foo;bar= 1", 8),
            ("foo;bar==1", 8),
            ("foo;bar=ba z", 11),
            ("foo;bar=b\"az\"", 9),
            ("foo;bar=b\\az ", 9),
            ("foo;bar=\"\"", 9),
            ("foo;bar=\" a\"", 9),
            ("foo;bar=\"b@z\"", 10),
            ("foo;bar=\"b\u{20ac}z\"", 10),
            ("foo;bar=\"\\\\\"", 10),
            ("foo;bar=\"\\\"\"", 10),
            ("foo;bar=\"baz;\"", 12),
            ("foo;bar=\"baz\"qux", 13),
            ("foo;bar=\"baz\"\"", 13),
            ("foo;bar=\"baz\" qux", 14),
        ] {
            assert_eq!(parse(header), Err(UnexpectedCharacter(index)), "{header:?}");
        }
        for header in [
            "",
            "foo ",
            "foo\t",
            "foo,",
            "foo, ",
            "foo;",
            "foo;bar ",
            "foo;bar,",
            "foo;bar; ",
            "foo;bar=",
            "foo;bar=\"",
            "foo;bar=\"baz",
            "foo;bar=\"1\\",
            "foo;bar=\"baz\" ",
        ] {
            assert_eq!(parse(header), Err(UnexpectedEnd), "{header:?}");
        }
    }

    #[test]
    fn formats_all_offers() {
        let text = |text: &str| Value::Text(text.into());
        let bar = vec![
            ("a".to_owned(), vec![Value::True, text("2")]),
            ("b".to_owned(), vec![text("1")]),
        ];
        let extensions = [
            ("foo".to_owned(), vec![vec![], bar]),
            ("baz".to_owned(), vec![vec![]]),
        ];
        assert_eq!(format(&extensions), "foo, foo; a; a=2; b=1, baz");
        assert_eq!(format(&[]), "");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(header in "[ab,;= \t\"\\\\\u{e9}]{0,30}|.{0,30}") {
            let _ = parse(&header);
        }

        #[test]
        fn what_is_formatted_is_parsed_again(
            header in r#"[ab](; ?[cd](=e|="\\f")?){0,3}(, ?[ab](; ?[cd](=e|="g\\h")?){0,3}){0,3}"#
        ) {
            let extensions = parse(&header).unwrap();
            prop_assert_eq!(parse(&format(&extensions)), Ok(extensions));
        }
    }
}
