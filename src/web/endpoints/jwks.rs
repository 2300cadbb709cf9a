use std::time::Instant;

use actix_web::{HttpRequest, HttpResponse};

use crate::app::Shared;
use crate::time::Timestamp;
use crate::web::documents::{Document, Documents};

/// The published keys (RFC 7517 §5), prepared when they change.
#[derive(Default)]
pub struct PublishedKeys(Option<Document>);

impl PublishedKeys {
    /// As they are now, by the database's clock.
    pub fn current(&mut self, shared: &Shared, now: Timestamp) -> &Document {
        let keys = shared.keys.peek();
        let jwks = keys.jwks(now);
        self.0.take_if(|known| !known.has_tag(&jwks.etag));
        self.0.get_or_insert_with(|| {
            let max_age = shared.config.keys.jwks_max_age;
            Document::new("application/jwk-set+json", &jwks.etag, max_age, jwks.body.clone().into())
        })
    }
}

/// The published keys.
pub async fn jwks(request: HttpRequest) -> HttpResponse {
    Documents::of(&request).jwks(request.headers(), Instant::now())
}
