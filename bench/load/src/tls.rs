//! TLS 1.3. Every peer gets the same: one cipher suite, a whole handshake for each connection. Who the server is does
//! not matter here.

use std::io::{Error, ErrorKind, IoSlice, Read, Result, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, Connection, DigitallySignedStruct, ServerConfig,
    ServerConnection, SignatureScheme, version,
};

use crate::Failure;
use crate::settings::Settings;
use crate::transport::Transport;

/// Bytes of records that are read at once.
const RECORDS: usize = 64 * 1024;

/// A TLS client or server over a socket.
pub struct Tls {
    socket: TcpStream,
    session: Connection,
    records: Box<[u8]>,
    /// Those that the session has not had.
    unread: Range<usize>,
}

impl Tls {
    /// The server's side.
    pub fn accept(
        socket: TcpStream,
        config: &Arc<ServerConfig>,
    ) -> std::result::Result<Self, Failure> {
        let session = ServerConnection::new(Arc::clone(config))?;
        Ok(Self::new(socket, session.into()))
    }

    fn new(socket: TcpStream, session: Connection) -> Self {
        Self {
            socket,
            session,
            records: vec![0; RECORDS].into(),
            unread: 0..0,
        }
    }
}

impl Transport for Tls {
    fn over(socket: TcpStream) -> std::result::Result<Self, Failure> {
        static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
        let config = match CONFIG.get() {
            Some(config) => config,
            None => {
                let config = client_config()?;
                CONFIG.get_or_init(|| Arc::new(config))
            }
        };
        let name = ServerName::from(std::net::IpAddr::from(Ipv4Addr::LOCALHOST));
        let session = ClientConnection::new(Arc::clone(config), name)?;
        Ok(Self::new(socket, session.into()))
    }

    fn socket(&self) -> &TcpStream {
        &self.socket
    }
}

impl Read for Tls {
    /// Fills `out` as far as bytes are there. As with a socket, a short read has emptied it.
    fn read(&mut self, out: &mut [u8]) -> Result<usize> {
        let mut filled = 0;
        let mut is_emptied = false;
        loop {
            match self.session.reader().read(&mut out[filled..]) {
                Ok(0) => return Ok(filled),
                Ok(count) => {
                    filled += count;
                    continue;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // Whether that was a clean end is said by WebSocket's own closing handshake.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(filled),
                Err(error) => return Err(error),
            }
            if self.unread.is_empty() {
                if is_emptied && filled > 0 {
                    return Ok(filled);
                }
                match self.socket.read(&mut self.records) {
                    Ok(count) => {
                        is_emptied = count < self.records.len();
                        self.unread = 0..count;
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock && filled > 0 => {
                        return Ok(filled);
                    }
                    Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                    Err(error) => return Err(error),
                }
            }
            let mut rest = &self.records[self.unread.clone()];
            self.session.read_tls(&mut rest)?;
            self.unread.start = self.unread.end - rest.len();
            self.session.process_new_packets().map_err(Error::other)?;
            // Its part of the handshake, and what was written before that was over.
            self.flush()?;
        }
    }
}

impl Write for Tls {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    /// Takes what the session has room for. If that is nothing, the socket takes nothing either, and will say when it
    /// does.
    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> Result<usize> {
        self.flush()?;
        let taken = self.session.writer().write_vectored(slices)?;
        if taken == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.flush()?;
        Ok(taken)
    }

    /// Sends records as far as the kernel takes them.
    fn flush(&mut self) -> Result<()> {
        while self.session.wants_write() {
            match self.session.write_tls(&mut self.socket) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// What `Tls::accept` needs. Settings: `key` and `cert`, files of PEM.
pub fn server_config(settings: &Settings) -> std::result::Result<Arc<ServerConfig>, Failure> {
    let key = PrivateKeyDer::from_pem_file(settings.get::<String>("key")?)?;
    let cert = CertificateDer::from_pem_file(settings.get::<String>("cert")?)?;
    let mut config = ServerConfig::builder_with_provider(provider().into())
        .with_protocol_versions(&[&version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(vec![cert], key)?;
    // No session is resumed.
    config.send_tls13_tickets = 0;
    Ok(config.into())
}

fn provider() -> CryptoProvider {
    CryptoProvider {
        // The first choice of OpenSSL, and so of Node.js.
        cipher_suites: vec![ring::cipher_suite::TLS13_AES_256_GCM_SHA384],
        ..ring::default_provider()
    }
}

fn client_config() -> std::result::Result<ClientConfig, Failure> {
    let provider = provider();
    let schemes = provider
        .signature_verification_algorithms
        .supported_schemes();
    let mut config = ClientConfig::builder_with_provider(provider.into())
        .with_protocol_versions(&[&version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody(schemes)))
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// Trusts any server.
#[derive(Debug)]
struct Anybody(Vec<SignatureScheme>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn files() -> Settings {
        let file = |key, name| {
            let root = env!("CARGO_MANIFEST_DIR");
            format!("{key}={root}/../../__test__/support/tls/{name}.pem")
        };
        Settings::new([file("key", "key"), file("cert", "certificate")].into_iter())
    }

    #[test]
    fn client_and_server_understand_each_other() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        // Several records, and no more than a session takes before it is open.
        let sent: Vec<u8> = (0..50_000u32).map(|index| (index >> 8) as u8).collect();
        let length = sent.len();
        let client = std::thread::spawn(move || {
            let mut client = Tls::over(TcpStream::connect(address).unwrap()).unwrap();
            client.write_all(&sent).unwrap();
            let mut echo = vec![0; length];
            client.read_exact(&mut echo).unwrap();
            assert!(echo == sent);
        });
        let config = server_config(&files()).unwrap();
        let mut server = Tls::accept(listener.accept().unwrap().0, &config).unwrap();
        let mut received = vec![0; length];
        server.read_exact(&mut received).unwrap();
        server.write_all(&received).unwrap();
        client.join().unwrap();
    }
}
