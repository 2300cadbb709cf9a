//! Fetching a document, or posting a message, within limits.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use reqwest::{Client, RequestBuilder, Response, StatusCode, redirect};
use tokio::runtime::Handle;
use tokio::sync::OnceCell;
use url::Url;

use super::policy::{Policy, Reach, Refused, Target};
use super::resolver::{GuardedResolver, OutOfReach};

/// How long a connection may take, name resolution and TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// What a fetch may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// From the first lookup to the last byte.
    pub total: Duration,
    /// Bytes of the body.
    pub bytes: usize,
}

/// Why nothing was fetched. For the log: a client learns no more than that.
#[derive(Debug, thiserror::Error)]
pub enum OutgoingError {
    /// The guard.
    #[error("the address is refused: {0}")]
    Refused(#[from] Refused),
    /// No connection, no answer, or a broken one.
    #[error("the request failed: {0}")]
    Failed(#[source] reqwest::Error),
    /// It took too long.
    #[error("the answer took longer than {0:?}")]
    TooSlow(Duration),
    /// An answer other than 200; a redirect is one.
    #[error("the answer is {0} and not 200")]
    Status(StatusCode),
    /// A body beyond the limit.
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
    /// The process ends.
    #[error("the request was given up")]
    Aborted,
}

impl From<reqwest::Error> for OutgoingError {
    fn from(error: reqwest::Error) -> Self {
        let mut source: Option<&(dyn Error + 'static)> = Some(&error);
        while let Some(cause) = source {
            if cause.is::<OutOfReach>() {
                return Self::Refused(Refused::NotPublic);
            }
            source = cause.source();
        }
        Self::Failed(error.without_url())
    }
}

/// A document.
#[derive(Debug)]
pub struct Fetched {
    /// Its bytes.
    pub body: Vec<u8>,
    /// `max-age` of its `Cache-Control` (RFC 9111 §5.2.2.1), zero where it is not to be stored.
    pub max_age: Option<Duration>,
}

/// The one way out. Connections are made on the runtime on which this was made, so that whoever asks may go away
/// and no worker's own loop stands between an answer and its deadline. A clone is the same way.
#[derive(Clone)]
pub struct Outgoing {
    policy: Policy,
    runtime: Handle,
    /// One for each reach, since the resolver is the guard; made when first needed, because the certificates of the
    /// system are read for it.
    clients: Arc<[OnceCell<Client>; 3]>,
}

impl Outgoing {
    /// The way out that an operator allows.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn new(policy: Policy) -> Self {
        Self { policy, runtime: Handle::current(), clients: Arc::default() }
    }

    /// What it is held to.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Gets a document of JSON.
    ///
    /// # Errors
    /// If the guard refuses the address, or the answer is not a 200 within the limits.
    pub async fn get(&self, url: &str, limits: Limits) -> Result<Fetched, OutgoingError> {
        let request =
            |client: &Client, url| client.get(url).header(ACCEPT, "application/json, application/*+json");
        self.send(url, limits.total, request, move |response| read(response, limits.bytes)).await
    }

    /// Posts a form and looks at nothing but the status of the answer, of which the body is not read.
    ///
    /// # Errors
    /// If the guard refuses the address, or there is no answer in time.
    pub async fn post(&self, url: &str, form: String, total: Duration) -> Result<u16, OutgoingError> {
        let request = |client: &Client, url| {
            client.post(url).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form)
        };
        self.send(url, total, request, |response| async move { Ok(response.status().as_u16()) }).await
    }

    async fn send<T, F>(
        &self,
        url: &str,
        total: Duration,
        request: impl FnOnce(&Client, Url) -> RequestBuilder + Send + 'static,
        read: impl FnOnce(Response) -> F + Send + 'static,
    ) -> Result<T, OutgoingError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, OutgoingError>> + Send,
    {
        let Target { url, reach } = self.policy.check(url)?;
        let clients = Arc::clone(&self.clients);
        let exchange = async move {
            let client = clients[reach as usize].get_or_try_init(|| async move { build(reach) }).await?;
            read(request(client, url).send().await?).await
        };
        match self.runtime.spawn(tokio::time::timeout(total, exchange)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(OutgoingError::TooSlow(total)),
            Err(_) => Err(OutgoingError::Aborted),
        }
    }
}

fn build(reach: Reach) -> Result<Client, reqwest::Error> {
    Client::builder()
        .https_only(reach != Reach::Loopback)
        .dns_resolver(GuardedResolver(reach))
        .redirect(redirect::Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_TIMEOUT)
        // Each request resolves and is judged anew.
        .pool_max_idle_per_host(0)
        .user_agent(concat!("Grantor/", env!("CARGO_PKG_VERSION")))
        .build()
}

async fn read(mut response: Response, most: usize) -> Result<Fetched, OutgoingError> {
    if response.status() != StatusCode::OK {
        return Err(OutgoingError::Status(response.status()));
    }
    let told = response.content_length().unwrap_or(0);
    if told > most as u64 {
        return Err(OutgoingError::TooLong(most));
    }
    let max_age = response.headers().get(CACHE_CONTROL).and_then(|value| max_age(value.to_str().ok()?));
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > most {
            return Err(OutgoingError::TooLong(most));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Fetched { body, max_age })
}

/// RFC 9111 §5.2.2: how long the answer may be used.
fn max_age(cache_control: &str) -> Option<Duration> {
    let mut found = None;
    for directive in cache_control.split(',') {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "no-store" | "no-cache" => return Some(Duration::ZERO),
            "max-age" => found = value.trim().trim_matches('"').parse().ok().map(Duration::from_secs),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests;
