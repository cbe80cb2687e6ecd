//! Connections that do nothing until they are told to.

use std::net::TcpStream;

use crate::Failure;
use crate::dial::dial;
use crate::script::Script;
use crate::settings::Settings;
use crate::tls::Tls;
use crate::transport::Transport;

/// Obeys lines on stdin and answers each with one: `open N` opens N more connections, `touch` has a message echoed by
/// each connection. At the end of stdin they are closed.
pub fn run(settings: &Settings) -> Result<(), Failure> {
    if settings.has("tls") {
        obey::<Tls>(settings)
    } else {
        obey::<TcpStream>(settings)
    }
}

fn obey<T: Transport>(settings: &Settings) -> Result<(), Failure> {
    let port = settings.get("port")?;
    let script = Script::new(settings, 1)?;
    let mut connections = Vec::<T>::new();
    for line in std::io::stdin().lines() {
        let line = line?;
        match line.split_once(' ') {
            Some(("open", count)) => {
                for _ in 0..count.parse()? {
                    let (stream, extensions) = dial(port, script.offer())?;
                    script.check_extensions(extensions.as_deref())?;
                    connections.push(stream);
                }
            }
            _ => touch(&mut connections, &script)?,
        }
        println!("done");
    }
    Ok(())
}

fn touch<T: Transport>(connections: &mut [T], script: &Script) -> Result<(), Failure> {
    let mut chunk = vec![0; 64 * 1024];
    for (index, connection) in connections.iter_mut().enumerate() {
        let (request, mut check) = script.play(index);
        connection.write_all(&request.slices(1)[0])?;
        let mut ended = 0;
        while ended == 0 {
            let count = connection.read(&mut chunk)?;
            if count == 0 {
                return Err("the server closed a connection".into());
            }
            ended = check.expect(&chunk[..count])?;
        }
    }
    Ok(())
}
