//! Connections that do nothing until they are told to.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::Failure;
use crate::content::Content;
use crate::dial::dial;
use crate::frame;
use crate::settings::Settings;

/// Opens connections and prints `open`. For each line on stdin every connection has one message echoed, then a line is
/// printed; at the end of stdin they are closed.
pub fn run(settings: &Settings) -> Result<(), Failure> {
    let port = settings.get("port")?;
    let count = settings.get("connections")?;
    let mut connections = Vec::with_capacity(count);
    for _ in 0..count {
        connections.push(dial(port, None)?.0);
    }
    println!("open");
    for line in std::io::stdin().lines() {
        line?;
        touch(&mut connections)?;
        println!("touched");
    }
    Ok(())
}

fn touch(connections: &mut [TcpStream]) -> Result<(), Failure> {
    let message = Content::Binary.messages(32, 1).concat();
    let mut request = Vec::new();
    let mut expected = Vec::new();
    frame::push(&mut request, frame::BINARY, &message, Some(frame::KEY));
    frame::push(&mut expected, frame::BINARY, &message, None);
    let mut echo = vec![0; expected.len()];
    for connection in connections {
        connection.write_all(&request)?;
        connection.read_exact(&mut echo)?;
        if echo != expected {
            return Err("the echo is wrong".into());
        }
    }
    Ok(())
}
