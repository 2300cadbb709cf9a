//! A browser as far as the protocol sees it: cookies, forms, redirects one by one.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Method, Response, StatusCode};
use scraper::{Html, Selector};

use super::server::{Server, password_of};

/// A person's browser.
#[derive(Clone)]
pub struct Browser {
    http: Client,
    issuer: String,
}

/// What a request was answered with.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
    /// Where it was asked for.
    pub url: String,
}

impl Browser {
    /// Without cookies.
    pub fn new(server: &Server) -> Self {
        Self::with(server, |settings| settings)
    }

    /// Without cookies, for the server at this origin.
    pub fn at(origin: &str) -> Self {
        Self::built(origin, |settings| settings)
    }

    /// Without cookies, and with settings of one's own.
    pub fn with(server: &Server, settings: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Self {
        Self::built(&server.origin, settings)
    }

    fn built(origin: &str, settings: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Self {
        let port = origin.rsplit(':').next().unwrap().parse().unwrap();
        let builder = Client::builder()
            .cookie_store(true)
            .redirect(Policy::none())
            .resolve("localhost", SocketAddr::from(([127, 0, 0, 1], port)));
        Self { http: settings(builder).build().unwrap(), issuer: origin.to_owned() }
    }

    /// As a proxy presents a browser at this address; the server must trust proxies at 127.0.0.1.
    pub fn from_address(server: &Server, address: &str) -> Self {
        let forwarded = HeaderMap::from_iter([(
            HeaderName::from_static("x-forwarded-for"),
            HeaderValue::from_str(address).unwrap(),
        )]);
        Self::with(server, |settings| settings.default_headers(forwarded))
    }

    /// Where the server is that this browser speaks to, without the scheme.
    pub fn address(&self) -> &str {
        self.issuer.split("://").nth(1).unwrap()
    }

    /// A request of one's own making.
    pub fn request(&self, method: Method, url: &str) -> reqwest::RequestBuilder {
        let url = if url.starts_with('/') { format!("{}{url}", self.issuer) } else { url.to_owned() };
        self.http.request(method, url)
    }

    pub async fn get(&self, url: &str) -> Answer {
        Answer::read(self.request(Method::GET, url).send().await.unwrap()).await
    }

    pub async fn post(&self, url: &str, fields: &[(&str, &str)]) -> Answer {
        Answer::read(self.request(Method::POST, url).form(fields).send().await.unwrap()).await
    }

    /// Follows redirects as long as they stay with the server. The last answer leaves it, or is a page.
    pub async fn follow(&self, mut answer: Answer) -> Answer {
        for _ in 0..10 {
            match answer.location() {
                Some(location)
                    if location.starts_with('/') || location.starts_with(&format!("{}/", self.issuer)) =>
                {
                    answer = self.get(&location).await;
                }
                _ => return answer,
            }
        }
        panic!("too many redirects, last to {}", answer.url);
    }

    /// Sends the page's form, with these fields filled in, as a browser does.
    pub async fn submit(&self, page: &Answer, fields: &[(&str, &str)]) -> Answer {
        let (action, mut values) = page.form();
        for (name, value) in fields {
            values.insert((*name).to_owned(), (*value).to_owned());
        }
        let request = self.request(Method::POST, &action).header("origin", &self.issuer);
        Answer::read(request.header("sec-fetch-site", "same-origin").form(&values).send().await.unwrap())
            .await
    }

    /// Signs in on this page, with the password that [`Server::user`] gave; where that leads.
    pub async fn sign_in_on(&self, page: &Answer, name: &str) -> Answer {
        assert!(page.has_id("login-submit"), "not the sign-in page: {} {}", page.status, page.body);
        let answer = self.submit(page, &[("username", name), ("password", &password_of(name))]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "not signed in: {}", answer.body);
        self.follow(answer).await
    }

    /// Signs in without any app asking.
    pub async fn sign_in(&self, name: &str) -> Answer {
        let page = self.get("/sign-in").await;
        self.sign_in_on(&page, name).await
    }

    /// Opens an authorization URL and goes through whatever pages come, allowing; the answer to the client.
    pub async fn authorize(&self, url: &str, name: &str) -> Answer {
        let mut answer = self.follow(self.get(url).await).await;
        if answer.has_id("login-submit") {
            answer = self.sign_in_on(&answer, name).await;
        }
        if answer.has_id("consent-allow") {
            answer = self.follow(self.submit(&answer, &[("decision", "allow")]).await).await;
        }
        answer
    }
}

impl Answer {
    pub async fn read(response: Response) -> Self {
        let (status, headers, url) =
            (response.status(), response.headers().clone(), response.url().to_string());
        Self { status, headers, url, body: response.text().await.unwrap() }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub fn location(&self) -> Option<String> {
        self.headers.get(LOCATION).map(|location| location.to_str().unwrap().to_owned())
    }

    /// A parameter of the redirect to the client.
    pub fn parameter(&self, name: &str) -> Option<String> {
        query_of(&self.location()?).remove(name)
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {} {}", self.status, self.body))
    }

    pub fn has_id(&self, id: &str) -> bool {
        !self.text_of(&format!("#{id}")).is_empty() || self.exists(&format!("#{id}"))
    }

    pub fn exists(&self, selector: &str) -> bool {
        Html::parse_document(&self.body).select(&Selector::parse(selector).unwrap()).next().is_some()
    }

    /// An attribute of the first element that fits.
    pub fn attribute(&self, selector: &str, name: &str) -> Option<String> {
        let document = Html::parse_document(&self.body);
        let element = document.select(&Selector::parse(selector).unwrap()).next()?;
        element.attr(name).map(str::to_owned)
    }

    /// The text of the first element that fits, white space folded.
    pub fn text_of(&self, selector: &str) -> String {
        let document = Html::parse_document(&self.body);
        let element = document.select(&Selector::parse(selector).unwrap()).next();
        let text = element.map(|element| element.text().collect::<String>()).unwrap_or_default();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Whether it is an error page, from which no redirect leads anywhere.
    pub fn is_error_page(&self) -> bool {
        self.status.is_client_error() && self.location().is_none() && self.exists("#error-page")
    }

    /// The cookies that it sets.
    pub fn cookies(&self) -> Vec<&str> {
        self.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect()
    }

    /// Where the page's form goes, and its fields with their values.
    pub fn form(&self) -> (String, BTreeMap<String, String>) {
        let document = Html::parse_document(&self.body);
        let form = document
            .select(&Selector::parse("form").unwrap())
            .next()
            .unwrap_or_else(|| panic!("no form on {}: {}", self.url, self.body));
        let fields = form
            .select(&Selector::parse("input[name]").unwrap())
            .map(|input| (input.attr("name").unwrap(), input.attr("value").unwrap_or_default()))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        (form.attr("action").unwrap().to_owned(), fields)
    }
}

/// The parameters of a URL's query.
pub fn query_of(url: &str) -> BTreeMap<String, String> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}
