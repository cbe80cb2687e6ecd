//! The raw functions of a bridge object: what JavaScript calls for every message and connection.

pub(crate) mod config;
pub(crate) mod connection;
pub(crate) mod context;
pub(crate) mod endpoint;
pub(crate) mod extra;
pub(crate) mod messages;
