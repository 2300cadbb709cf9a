use std::sync::Arc;
use std::time::Duration;

use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use arc_swap::ArcSwapOption;

use crate::app::App;
use crate::clients::{ClaimCatalogue, ScopeCatalogue};
use crate::jose::Algorithm;
use crate::protocol::discovery::authorization_server_metadata;
use crate::secret::{base64url, sha256};
use crate::web::respond::public_document;

const MAX_AGE: Duration = Duration::from_secs(300);

/// The metadata document, made anew only when the registered scopes, the claims or the algorithms of the keys change.
#[derive(Default)]
pub struct Metadata(ArcSwapOption<Prepared>);

struct Prepared {
    scopes: Arc<ScopeCatalogue>,
    claims: Arc<ClaimCatalogue>,
    algorithms: Vec<&'static str>,
    body: Bytes,
    etag: String,
}

impl Metadata {
    fn current(&self, app: &App) -> Arc<Prepared> {
        let (scopes, claims) = (app.registry.scopes(), app.registry.claims());
        let keys = app.keys.current();
        let algorithms = keys.algorithms(app.registry.database_time()).map(Algorithm::name);
        let algorithms: Vec<&'static str> = algorithms.collect();
        let is_current = |known: &Arc<Prepared>| {
            Arc::ptr_eq(&known.scopes, &scopes)
                && Arc::ptr_eq(&known.claims, &claims)
                && known.algorithms == algorithms
        };
        if let Some(prepared) = self.0.load_full().filter(is_current) {
            return prepared;
        }
        let names: Vec<String> = scopes.public_names().map(str::to_owned).collect();
        let of_open_scopes = claims.iter().filter(|(_, scope)| !scopes.is_restricted(scope));
        let about_people = of_open_scopes.map(|(name, _)| name.to_owned()).collect();
        let metadata = authorization_server_metadata(app.issuer(), &names, about_people, &algorithms);
        let metadata = if app.config.registration.is_on() { metadata.with_registration() } else { metadata };
        let body = serde_json::to_vec(&metadata).unwrap_or_default();
        let etag = format!("\"{}\"", base64url(&sha256(&body)[..12]));
        let prepared = Arc::new(Prepared { scopes, claims, algorithms, body: body.into(), etag });
        self.0.store(Some(Arc::clone(&prepared)));
        prepared
    }
}

/// RFC 8414 and OpenID Connect Discovery: one document at both addresses.
pub async fn metadata(app: Data<App>, metadata: Data<Metadata>, request: HttpRequest) -> HttpResponse {
    let current = metadata.current(&app);
    public_document(&request, "application/json", &current.etag, MAX_AGE, || current.body.clone())
}
