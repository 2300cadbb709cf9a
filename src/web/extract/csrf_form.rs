use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest};

use super::cookies::CsrfCookie;
use super::{SessionCookie, form_parameters};
use crate::keys::{MasterKey, Purpose};
use crate::protocol::Parameters;
use crate::secret::{base64url, constant_time_eq};
use crate::users::SessionToken;
use crate::web::app;
use crate::web::failure::PageError;

/// The only form extractor of pages: what was posted, and whether it came from our own form in this browser.
pub struct CsrfForm {
    /// The fields.
    pub fields: Parameters,
    /// Whether the form's token fits path, cookie and session. If not, the form is shown again.
    pub is_genuine: bool,
}

impl CsrfForm {
    /// A field's value; empty if it is absent.
    pub fn field(&self, name: &str) -> Result<&str, PageError> {
        Ok(self.fields.get(name)?.unwrap_or_default())
    }
}

impl FromRequest for CsrfForm {
    type Error = PageError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, PageError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move { read(&request, payload).await })
    }
}

async fn read(request: &HttpRequest, payload: Payload) -> Result<CsrfForm, PageError> {
    refuse_foreign(request)?;
    let fields = form_parameters(request, payload).await?;
    let (session, cookie) = (SessionCookie::sent_with(request), CsrfCookie::of(request));
    let sent = fields.get("csrf")?.unwrap_or_default();
    // Any of the keys: another replica may write with another one while master keys change.
    let is_genuine = app(request).master_keys.iter().any(|key| {
        constant_time_eq(token(key, request, &cookie, session.as_ref()).as_bytes(), sent.as_bytes())
    });
    Ok(CsrfForm { fields, is_genuine })
}

/// The token of a form at this path, bound to the browser's cookie and session.
pub fn csrf_token(request: &HttpRequest, cookie: &CsrfCookie, session: Option<&SessionToken>) -> String {
    token(app(request).master_keys.current(), request, cookie, session)
}

fn token(
    key: &MasterKey,
    request: &HttpRequest,
    cookie: &CsrfCookie,
    session: Option<&SessionToken>,
) -> String {
    let session = session.map(|session| session.hash().to_vec()).unwrap_or_default();
    let parts = [request.path().as_bytes(), cookie.value.as_bytes(), &session];
    base64url(&key.hmac(Purpose::Csrf, &parts))
}

/// Browsers say where a POST comes from; where they do, another site's is refused outright.
fn refuse_foreign(request: &HttpRequest) -> Result<(), PageError> {
    let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let site = text("sec-fetch-site");
    let origin = text(header::ORIGIN.as_str());
    let foreign_site = site.is_some_and(|site| site != "same-origin" && site != "none");
    let foreign_origin = origin.is_some_and(|origin| origin != app(request).config.issuer.origin());
    if foreign_site || foreign_origin {
        return Err(PageError::forbidden("This form was sent from another site."));
    }
    Ok(())
}
