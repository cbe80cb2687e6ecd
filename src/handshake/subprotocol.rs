//! `Sec-WebSocket-Protocol`.

use std::collections::HashSet;

use super::syntax::{Cursor, SyntaxError};

/// Parses the field value of a request into the names it offers, in their order.
pub fn parse(header: &str) -> Result<Vec<String>, SyntaxError> {
    let mut cursor = Cursor::new(header);
    let mut names = Vec::new();
    let mut seen = HashSet::new();
    loop {
        let name = cursor.token()?;
        let is_last = cursor.separator(b",")?.is_none();
        // RFC 6455, section 4.1: "The elements that comprise this value [...] MUST all be unique
        // strings."
        if !seen.insert(name) {
            return Err(SyntaxError::DuplicateSubprotocol(name.to_owned()));
        }
        names.push(name.to_owned());
        if is_last {
            return Ok(names);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SyntaxError::{DuplicateSubprotocol, UnexpectedCharacter, UnexpectedEnd};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keeps_the_order() {
        for (header, names) in [
            ("foo", vec!["foo"]),
            ("foo,bar,baz", vec!["foo", "bar", "baz"]),
            ("b , a\t, \tc\t ,  d\t\t,e", vec!["b", "a", "c", "d", "e"]),
            (
                "__proto__, constructor, 2, 1",
                vec!["__proto__", "constructor", "2", "1"],
            ),
            ("Foo,foo", vec!["Foo", "foo"]),
        ] {
            let names = names.into_iter().map(String::from).collect();
            assert_eq!(parse(header), Ok(names), "{header:?}");
        }
    }

    #[test]
    fn says_where_it_fails() {
        for (header, error) in [
            ("", UnexpectedEnd),
            ("foo ", UnexpectedEnd),
            ("foo,", UnexpectedEnd),
            ("foo, ", UnexpectedEnd),
            ("foo,foo ", UnexpectedEnd),
            (",", UnexpectedCharacter(0)),
            (" foo", UnexpectedCharacter(0)),
            ("\tfoo", UnexpectedCharacter(0)),
            ("foo,,", UnexpectedCharacter(4)),
            ("foo,  ,", UnexpectedCharacter(6)),
            ("f oo", UnexpectedCharacter(2)),
            ("f@o", UnexpectedCharacter(1)),
            ("f;o", UnexpectedCharacter(1)),
            ("foo,b\u{e9}r", UnexpectedCharacter(5)),
            ("foo,foo@", UnexpectedCharacter(7)),
        ] {
            assert_eq!(parse(header), Err(error), "{header:?}");
        }
    }

    #[test]
    fn names_are_unique() {
        for header in ["foo,foo,bar", "foo,bar,foo", "bar, foo , foo,@"] {
            assert_eq!(parse(header), Err(DuplicateSubprotocol("foo".into())));
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(header in "[ab, \t;\"\u{e9}]{0,30}|.{0,30}") {
            // What is accepted is a list of distinct tokens.
            if let Ok(names) = parse(&header) {
                prop_assert_eq!(parse(&names.join(", ")), Ok(names));
            }
        }
    }
}
