use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::{HttpRequest, HttpResponse};

use crate::app::Shared;
use crate::clients::{ClaimCatalogue, ScopeCatalogue};
use crate::jose::Algorithm;
use crate::protocol::discovery::authorization_server_metadata;
use crate::secret::{base64url, sha256};
use crate::time::Timestamp;
use crate::web::documents::{Document, Documents};

const MAX_AGE: Duration = Duration::from_secs(300);

/// The metadata document, made anew only when the registered scopes, the claims or the algorithms of the keys change.
#[derive(Default)]
pub struct Metadata(Option<Prepared>);

struct Prepared {
    scopes: Arc<ScopeCatalogue>,
    claims: Arc<ClaimCatalogue>,
    algorithms: Vec<Algorithm>,
    document: Document,
}

impl Metadata {
    /// As it is now, by the database's clock.
    pub fn current(&mut self, shared: &Shared, now: Timestamp) -> &Document {
        self.0.take_if(|known| !known.holds(shared, now));
        &self.0.get_or_insert_with(|| Prepared::new(shared, now)).document
    }
}

impl Prepared {
    fn new(shared: &Shared, now: Timestamp) -> Self {
        let (scopes, claims) = (shared.registry.scopes(), shared.registry.claims());
        let keys = shared.keys.peek();
        let algorithms: Vec<Algorithm> = keys.algorithms(now).collect();
        let names: Vec<String> = scopes.public_names().map(str::to_owned).collect();
        let of_open_scopes = claims.iter().filter(|(_, scope)| !scopes.is_restricted(scope));
        let about_people = of_open_scopes.map(|(name, _)| name.to_owned()).collect();
        let signing: Vec<&'static str> = algorithms.iter().copied().map(Algorithm::name).collect();
        let metadata = authorization_server_metadata(shared.issuer(), &names, about_people, &signing);
        let metadata =
            if shared.config.registration.is_on() { metadata.with_registration() } else { metadata };
        let body = serde_json::to_vec(&metadata).unwrap_or_default();
        let etag = format!("\"{}\"", base64url(&sha256(&body)[..12]));
        let document = Document::new("application/json", &etag, MAX_AGE, body);
        Self { scopes, claims, algorithms, document }
    }

    fn holds(&self, shared: &Shared, now: Timestamp) -> bool {
        let keys = shared.keys.peek();
        let algorithms = keys.algorithms(now);
        shared.registry.still_has(&self.scopes, &self.claims)
            && algorithms.eq(self.algorithms.iter().copied())
    }
}

/// RFC 8414 and OpenID Connect Discovery: one document at both addresses.
pub async fn metadata(request: HttpRequest) -> HttpResponse {
    Documents::of(&request).metadata(request.headers(), Instant::now())
}
