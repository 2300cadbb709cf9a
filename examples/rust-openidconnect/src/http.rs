//! HTTP for the library, by `ureq`.

use std::sync::LazyLock;
use std::time::Duration;

use openidconnect::{HttpRequest, HttpResponse};
use ureq::Agent;

static AGENT: LazyLock<Agent> = LazyLock::new(|| {
    Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(10)))
        .max_redirects(0) // tokens go where discovery said, and nowhere else
        .http_status_as_error(false) // the library reads errors itself
        .build()
        .into()
});

/// Sends a request of the library's.
pub fn send(request: HttpRequest) -> Result<HttpResponse, ureq::Error> {
    let (head, mut body) = AGENT.run(request)?.into_parts();
    Ok(HttpResponse::from_parts(head, body.read_to_vec()?))
}
