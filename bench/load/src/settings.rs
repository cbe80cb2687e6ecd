//! `key=value` arguments.

use std::collections::HashMap;
use std::str::FromStr;

use crate::Failure;

/// The settings of a mode.
pub struct Settings(HashMap<String, String>);

impl Settings {
    /// Reads arguments; those without `=` are empty values.
    pub fn new(arguments: impl Iterator<Item = String>) -> Self {
        let split = |argument: String| {
            let (key, value) = argument.split_once('=').unwrap_or((&argument, ""));
            (key.to_owned(), value.to_owned())
        };
        Self(arguments.map(split).collect())
    }

    /// Whether there is a setting, whatever it is.
    pub fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// A setting that must be there.
    pub fn get<T: FromStr>(&self, key: &str) -> Result<T, Failure> {
        self.find(key)?.ok_or_else(|| format!("no {key}").into())
    }

    /// A setting that may be missing.
    pub fn find<T: FromStr>(&self, key: &str) -> Result<Option<T>, Failure> {
        let parse = |value: &String| {
            value
                .parse()
                .map_err(|_| Failure::from(format!("bad {key}: {value}")))
        };
        self.0.get(key).map(parse).transpose()
    }
}
