//! What JavaScript encodes and parses on its own, without a connection of ours.

mod frames;
mod handshake;
