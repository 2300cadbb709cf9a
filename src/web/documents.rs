//! What is the same for everybody: the published keys, and the metadata.
//!
//! Machines ask for it again and again. The bytes are prepared when they change, and so are the headers; each worker
//! has its own, since what several processors count together costs more than the copy. Who asks in the usual way is
//! answered before the app: without routes, extractors and the tasks around a request that takes its time.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_http::Request;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, Response};
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::http::{ConnectionType, Method, StatusCode};
use actix_web::web::Bytes;
use actix_web::{HttpMessage, HttpRequest, HttpResponse};

use super::connections::Connection;
use super::endpoints::jwks::PublishedKeys;
use super::endpoints::metadata::Metadata;
use super::middleware::let_scripts_read;
use super::middleware::request_log::Arrival;
use super::respond::NO_SNIFF;
use super::routes;
use crate::app::Shared;
use crate::protocol::discovery::JWKS_PATH;

/// The documents of a worker.
pub struct Documents {
    shared: Arc<Shared>,
    jwks: RefCell<PublishedKeys>,
    metadata: RefCell<Metadata>,
}

/// A document in one state, with all that is said of it.
pub struct Document {
    content_type: HeaderValue,
    cache_control: HeaderValue,
    etag: HeaderValue,
    body: Bytes,
}

impl Documents {
    /// They are prepared when they are asked for.
    pub fn new(shared: Arc<Shared>) -> Rc<Self> {
        Rc::new(Self { shared, jwks: RefCell::default(), metadata: RefCell::default() })
    }

    /// Those of the worker that answers this request.
    pub fn of(request: &HttpRequest) -> &Self {
        #[expect(clippy::expect_used, reason = "the server registers them before any route")]
        request.app_data::<Rc<Self>>().expect("the documents are registered")
    }

    /// The published keys, for a request with these headers that came at this moment.
    pub fn jwks(&self, asked: &HeaderMap, moment: Instant) -> HttpResponse {
        self.jwks
            .borrow_mut()
            .current(&self.shared, self.shared.registry.database_time_at(moment))
            .answer(asked)
    }

    /// The metadata, for a request with these headers that came at this moment.
    pub fn metadata(&self, asked: &HeaderMap, moment: Instant) -> HttpResponse {
        self.metadata
            .borrow_mut()
            .current(&self.shared, self.shared.registry.database_time_at(moment))
            .answer(asked)
    }

    /// The answer to who asks for a document, in the usual way and without a body. All else is the app's.
    pub fn answer(&self, request: &mut Request) -> Option<Response<BoxBody>> {
        let route = routes::prepared_document(request.path())?;
        // On HTTP/1.1 a body has to be read, or the connection to end.
        let has_body = matches!(request.payload(), Payload::H1 { .. });
        if has_body || ![Method::GET, Method::HEAD].contains(request.method()) {
            return None;
        }
        let arrival = Arrival::of(request.method());
        if let Some(connection) = request.conn_data::<Rc<Connection>>() {
            connection.answered_at(arrival.at);
        }
        let mut response = match route {
            JWKS_PATH => self.jwks(request.headers(), arrival.at),
            _ => self.metadata(request.headers(), arrival.at),
        };
        let_scripts_read(response.headers_mut());
        let head = response.head_mut();
        if self.shared.is_draining() {
            head.set_connection_type(ConnectionType::Close);
        }
        arrival.span(true).in_scope(|| arrival.answered(route, head));
        Some(response.into())
    }
}

impl Document {
    /// One that caches may keep for `max_age`. The entity tag has its quotes (RFC 9110 §8.8.3).
    pub fn new(content_type: &'static str, etag: &str, max_age: Duration, body: Vec<u8>) -> Self {
        #[expect(clippy::expect_used, reason = "they are digits, letters and a few signs")]
        let value = |text: &str| HeaderValue::from_str(text).expect("it is printable");
        Self {
            content_type: HeaderValue::from_static(content_type),
            cache_control: value(&format!("public, max-age={}", max_age.as_secs())),
            etag: value(etag),
            body: body.into(),
        }
    }

    /// Whether it is the state with this entity tag.
    pub fn has_tag(&self, etag: &str) -> bool {
        self.etag == etag
    }

    /// What a request with these headers gets: nothing new, where it knows this state (RFC 9110 §13.1.2).
    fn answer(&self, asked: &HeaderMap) -> HttpResponse {
        let known = asked.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok());
        let is_known = known.is_some_and(|known| known.split(',').any(|one| self.has_tag(one.trim())));
        let mut response = match is_known {
            true => HttpResponse::new(StatusCode::NOT_MODIFIED),
            false => HttpResponse::with_body(StatusCode::OK, self.body.clone().boxed()),
        };
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, self.cache_control.clone());
        headers.insert(ETAG, self.etag.clone());
        headers.insert(X_CONTENT_TYPE_OPTIONS, NO_SNIFF);
        if !is_known {
            headers.insert(CONTENT_TYPE, self.content_type.clone());
        }
        response
    }
}
