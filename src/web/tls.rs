//! TLS by rustls, with a certificate that is read again when its files change.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

const LOOK_INTERVAL: Duration = Duration::from_secs(2);

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or holds something else.
    #[error("cannot read {path}: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Certificate and key do not belong together, or rustls cannot use them.
    #[error("the TLS certificate and key cannot be used: {0}")]
    Rustls(#[from] rustls::Error),
}

/// The certificate in use.
#[derive(Debug)]
struct Certificate(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

/// The server's TLS configuration. From now on the files are looked at every two seconds; a pair that cannot
/// be used is told in the log, and the last good one stays.
pub fn server_config(certificate: PathBuf, key: PathBuf) -> Result<ServerConfig, TlsError> {
    let provider = Arc::new(default_provider());
    let current = Arc::new(Certificate(ArcSwap::from_pointee(load(&certificate, &key, &provider)?)));
    let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
    tokio::spawn(async move { reload(&current, &certificate, &key, &provider).await });
    Ok(config)
}

async fn reload(current: &Certificate, certificate: &Path, key: &Path, provider: &CryptoProvider) {
    let mut seen = (modified(certificate), modified(key));
    loop {
        tokio::time::sleep(LOOK_INTERVAL).await;
        let now = (modified(certificate), modified(key));
        if now == seen {
            continue;
        }
        match load(certificate, key, provider) {
            Ok(loaded) => {
                current.0.store(Arc::new(loaded));
                seen = now;
                tracing::info!("TLS certificate read again");
            }
            // The other file may be about to follow: looked at again at the next turn.
            Err(error) => tracing::warn!(error = error.to_string(), "new TLS certificate not taken"),
        }
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

fn load(certificate: &Path, key: &Path, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
    let unreadable = |path: &Path, reason: &dyn std::fmt::Display| TlsError::File {
        path: path.to_owned(),
        reason: reason.to_string(),
    };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|error| unreadable(certificate, &error))?;
    if chain.is_empty() {
        return Err(unreadable(certificate, &"it holds no certificate in PEM"));
    }
    let key_der = PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable(key, &error))?;
    Ok(CertifiedKey::from_der(chain, key_der, provider)?)
}
