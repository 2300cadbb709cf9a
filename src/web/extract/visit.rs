use std::cell::OnceCell;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::IpAddr;

use actix_web::dev::Payload;
use actix_web::http::{StatusCode, header};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use askama::Template;

use super::cookies::CsrfCookie;
use super::csrf_form::csrf_token;
use super::{BrowserCookie, Now, RequestApp, SessionCookie, client_address, query_parameters};
use crate::model::Session;
use crate::protocol::{Parameters, ParametersError};
use crate::store::StoreError;
use crate::time::Timestamp;
use crate::users::SessionToken;
use crate::web::failure::PageError;
use crate::web::respond::{html, with_cookie};
use crate::web::return_to::ReturnTo;
use crate::web::security_headers::Header;

/// A browser in front of one of our pages, at one moment.
pub struct Visit {
    app: RequestApp,
    request: HttpRequest,
    session: Option<SessionToken>,
    /// Where a form is shown.
    csrf: OnceCell<CsrfCookie>,
    now: Timestamp,
}

impl Visit {
    /// The app on behalf of this visit's request.
    pub fn app(&self) -> &RequestApp {
        &self.app
    }

    /// The request.
    pub fn request(&self) -> &HttpRequest {
        &self.request
    }

    /// When the request came.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The parameters of the address.
    pub fn query(&self) -> Result<Parameters, ParametersError> {
        query_parameters(&self.request)
    }

    /// Where the request comes from.
    pub fn address(&self) -> IpAddr {
        client_address(&self.request)
    }

    /// The browser's own description.
    pub fn user_agent(&self) -> Option<&str> {
        self.request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok())
    }

    /// The cookies by which the browser may be known to an account.
    pub fn known_browser(&self) -> Vec<String> {
        BrowserCookie::sent_with(&self.request)
    }

    /// The session that the browser names; it may have ended.
    pub fn session(&self) -> Option<&SessionToken> {
        self.session.as_ref()
    }

    /// Who is signed in.
    pub async fn person(&self) -> Result<Option<Session>, StoreError> {
        match &self.session {
            Some(session) => self.app.store.session(&session.hash(), self.now).await,
            None => Ok(None),
        }
    }

    /// Who is signed in; where that is nobody, the browser goes to sign in, and from there to this page.
    pub async fn person_for(&self, page: ReturnTo) -> Result<Session, PageError> {
        self.person().await?.ok_or(PageError::NotSignedIn(page))
    }

    /// The token of a form at this path, bound to the browser's cookie and session.
    pub fn csrf_token(&self) -> String {
        csrf_token(&self.request, self.csrf_cookie(), self.session())
    }

    /// A page with a form of this path.
    pub fn form(&self, status: StatusCode, headers: &[Header], page: &impl Template) -> HttpResponse {
        self.with_csrf_cookie(html(status, headers, page))
    }

    /// An answer with a form of this path, along with the cookie to which that is bound.
    pub fn with_csrf_cookie(&self, response: HttpResponse) -> HttpResponse {
        with_cookie(response, self.csrf_cookie().to_set(&self.app.config.issuer))
    }

    fn csrf_cookie(&self) -> &CsrfCookie {
        self.csrf.get_or_init(|| CsrfCookie::of(&self.request))
    }
}

impl FromRequest for Visit {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self {
            app: RequestApp::of(request),
            request: request.clone(),
            session: SessionCookie::sent_with(request),
            csrf: OnceCell::new(),
            now: Now::read().get(),
        }))
    }
}
