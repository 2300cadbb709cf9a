//! The cookies: the session's, the one that forms are bound to, and the demo app's own.

use actix_web::HttpRequest;
use actix_web::cookie::{Cookie, SameSite, time::Duration};
use actix_web::http::header;

use crate::config::Issuer;
use crate::demo;
use crate::secret::{base64url, random_bytes};
use crate::users::SessionToken;
use crate::web::app;

/// The session's cookie.
pub struct SessionCookie;

impl SessionCookie {
    /// The session, if the browser sent a cookie that can be one's.
    pub fn sent_with(request: &HttpRequest) -> Option<SessionToken> {
        let name = name("grantor_session", &app(request).config.issuer);
        values(request, &name).find_map(SessionToken::parse)
    }

    /// The cookie of a fresh session.
    pub fn set(token: &SessionToken, issuer: &Issuer) -> Cookie<'static> {
        cookie("grantor_session", token.encode().expose().clone(), issuer)
    }

    /// The cookie that makes a browser forget its session.
    pub fn forget(issuer: &Issuer) -> Cookie<'static> {
        let mut cookie = cookie("grantor_session", String::new(), issuer);
        cookie.set_max_age(Duration::ZERO);
        cookie
    }
}

/// The cookie that forms are bound to. It is no session: it says nothing about anybody.
pub struct CsrfCookie {
    /// Its value: as the browser sent it, or a fresh one.
    pub value: String,
    /// Whether the browser must be given it.
    is_new: bool,
}

impl CsrfCookie {
    /// The browser's, or a fresh one.
    pub fn of(request: &HttpRequest) -> Self {
        let name = name("grantor_csrf", &app(request).config.issuer);
        match values(request, &name).find(|value| value.len() == 43) {
            Some(value) => Self { value: value.to_owned(), is_new: false },
            None => Self { value: base64url(&random_bytes::<32>()), is_new: true },
        }
    }

    /// The cookie to set, if the browser had none.
    pub fn to_set(&self, issuer: &Issuer) -> Option<Cookie<'static>> {
        self.is_new.then(|| cookie("grantor_csrf", self.value.clone(), issuer))
    }
}

/// The cookie by which a browser may be known to an account (see [`crate::users::Throttle`]).
pub struct BrowserCookie;

impl BrowserCookie {
    /// What the browser sent. One is enough; a few more may have been planted.
    pub fn sent_with(request: &HttpRequest) -> Vec<String> {
        let name = name("grantor_browser", &app(request).config.issuer);
        values(request, &name).take(4).map(str::to_owned).collect()
    }

    /// What a browser is given in which somebody has signed in.
    pub fn set(value: String, issuer: &Issuer) -> Cookie<'static> {
        let mut cookie = cookie("grantor_browser", value, issuer);
        cookie.set_max_age(Duration::days(180));
        cookie
    }
}

/// The demo app's own cookie, that its sign-ins under way are bound to (RFC 6749 §10.12).
pub struct DemoCookie;

impl DemoCookie {
    /// Its value, if the browser sent one.
    pub fn sent_with(request: &HttpRequest) -> Option<String> {
        let name = name("grantor_demo", &app(request).config.issuer);
        values(request, &name).find(|value| value.len() == 43).map(str::to_owned)
    }

    /// The cookie of this value, for as long as a sign-in may take.
    pub fn set(value: &str, issuer: &Issuer) -> Cookie<'static> {
        let mut cookie = cookie("grantor_demo", value.to_owned(), issuer);
        cookie.set_max_age(Duration::try_from(demo::LIFETIME).unwrap_or(Duration::HOUR));
        cookie
    }

    /// The cookie that makes a browser forget it.
    pub fn forget(issuer: &Issuer) -> Cookie<'static> {
        let mut cookie = cookie("grantor_demo", String::new(), issuer);
        cookie.set_max_age(Duration::ZERO);
        cookie
    }
}

/// The values of all cookies of this name (RFC 6265 §4.2.1). A cookie that somebody else set, and that cannot
/// be read, hides no other.
fn values<'a>(request: &'a HttpRequest, name: &'a str) -> impl Iterator<Item = &'a str> {
    let headers = request.headers().get_all(header::COOKIE);
    let pairs = headers.flat_map(|header| header.as_bytes().split(|byte| *byte == b';'));
    let pairs = pairs.filter_map(|pair| std::str::from_utf8(pair).ok()?.trim().split_once('='));
    pairs.filter(move |(sent, _)| *sent == name).map(|(_, value)| value)
}

/// With an https issuer the prefix `__Host-` keeps other hosts of the site from setting the cookie; on http
/// no browser would accept it.
fn name(name: &str, issuer: &Issuer) -> String {
    if issuer.is_https() { format!("__Host-{name}") } else { name.to_owned() }
}

fn cookie(plain_name: &str, value: String, issuer: &Issuer) -> Cookie<'static> {
    Cookie::build(name(plain_name, issuer), value)
        .path("/")
        .secure(issuer.is_https())
        .http_only(true)
        .same_site(SameSite::Lax)
        .finish()
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    /// Cookies that somebody else set are in the same header, also such as no server would set.
    #[test]
    fn fuzz_no_other_cookie_hides_or_changes_ours() {
        bolero::check!().with_type::<(Vec<u8>, Vec<u8>, u8)>().for_each(|(before, after, form)| {
            let own = b"grantor_session=own";
            let headers: Vec<Vec<u8>> = match form % 2 {
                0 => vec![[before.as_slice(), b";", own, b"; ", after].concat()],
                _ => vec![before.clone(), own.to_vec(), after.clone()],
            };
            // Bytes that no header may have do not arrive here.
            let headers: Option<Vec<_>> =
                headers.iter().map(|header| header::HeaderValue::from_bytes(header).ok()).collect();
            let Some(headers) = headers else { return };
            let mut request = TestRequest::default();
            for header in headers {
                request = request.append_header((header::COOKIE, header));
            }
            let request = request.to_http_request();
            let found: Vec<&str> = values(&request, "grantor_session").collect();
            assert!(found.contains(&"own"), "{found:?}");
            assert!(found.iter().all(|value| !value.contains(';')));
        });
    }
}
