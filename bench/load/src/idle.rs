//! Connections that do nothing until they are told to.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::Failure;
use crate::content::Content;
use crate::dial::dial;
use crate::frame;
use crate::settings::Settings;

/// Obeys lines on stdin and answers each with one: `open N` opens N more connections, `touch` has a message echoed by
/// each connection. At the end of stdin they are closed.
pub fn run(settings: &Settings) -> Result<(), Failure> {
    let port = settings.get("port")?;
    let mut connections = Vec::new();
    for line in std::io::stdin().lines() {
        let line = line?;
        match line.split_once(' ') {
            Some(("open", count)) => {
                for _ in 0..count.parse()? {
                    connections.push(dial(port, None)?.0);
                }
            }
            _ => touch(&mut connections)?,
        }
        println!("done");
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
