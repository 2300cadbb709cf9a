//! A certificate of the tests' own making, for a server that speaks TLS.

use std::path::{Path, PathBuf};

use super::browser::Browser;
use super::server::{Server, Settings};

/// A self-signed certificate for localhost, and its key, in two files.
pub struct Certificate {
    directory: tempfile::TempDir,
    pem: String,
}

impl Certificate {
    pub fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut certificate = Self { directory, pem: String::new() };
        certificate.replace();
        certificate
    }

    /// Puts another certificate and key into the same files.
    pub fn replace(&mut self) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        self.pem = made.cert.pem();
        std::fs::write(self.path("cert.pem"), &self.pem).unwrap();
        std::fs::write(self.path("key.pem"), made.signing_key.serialize_pem()).unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        Path::new(self.directory.path()).join(name)
    }

    /// A server with these settings speaks TLS with this certificate.
    pub fn settings(&self) -> Settings {
        let path = |name| self.path(name).display().to_string();
        Settings::default()
            .with("GRANTOR_SERVER_TLS_CERT", &path("cert.pem"))
            .with("GRANTOR_SERVER_TLS_KEY", &path("key.pem"))
    }

    /// A browser that trusts this certificate alone.
    pub fn browser(&self, server: &Server) -> Browser {
        let certificate = reqwest::Certificate::from_pem(self.pem.as_bytes()).unwrap();
        Browser::with(server, |settings| settings.tls_certs_only([certificate]))
    }
}
