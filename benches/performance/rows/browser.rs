//! A person's browser, as far as forms and redirects need one, for the price of some searching in the pages.

use std::borrow::Cow;

use crate::load::{Answer, request};
use crate::site::{HOST, ISSUER};

/// The cookies of one browser at one address.
pub struct Browser {
    address: String,
    cookies: Vec<(String, String)>,
}

/// What an answer asks a browser to do.
pub enum Step {
    /// Another request of this browser.
    Ask(Vec<u8>),
    /// To go elsewhere.
    Leave(String),
    /// Nothing that a person would expect.
    Stuck,
}

impl Browser {
    /// Without cookies, at this address.
    pub fn new(address: String) -> Self {
        Self { address, cookies: Vec::new() }
    }

    pub fn get(&self, path: &str) -> Vec<u8> {
        request::get(HOST, path, &self.fields(&self.cookie()))
    }

    /// Follows a redirect, or fills in the form of the page: fields that the page has no value for come from the
    /// person.
    pub fn proceed(&mut self, answer: &Answer<'_>, person: &[(&str, &str)]) -> Step {
        self.keep_cookies(answer.head);
        match (answer.status, answer.header("location")) {
            (302 | 303, Some(location)) => match location.strip_prefix(ISSUER).unwrap_or(location) {
                path if path.starts_with('/') => Step::Ask(self.get(path)),
                elsewhere => Step::Leave(elsewhere.to_owned()),
            },
            (200, _) => std::str::from_utf8(answer.body)
                .ok()
                .and_then(|page| self.submit(page, person))
                .map_or(Step::Stuck, Step::Ask),
            _ => Step::Stuck,
        }
    }

    fn submit(&self, page: &str, person: &[(&str, &str)]) -> Option<Vec<u8>> {
        let (_, from_form) = page.split_once("<form method=\"post\"")?;
        let (form, _) = from_form.split_once("</form>")?;
        let action = attribute(form, "action")?;
        let mut fields: Vec<(&str, Cow<'_, str>)> = form
            .split("<input ")
            .skip(1)
            .filter_map(|input| {
                let input = input.split_once('>').map_or(input, |(input, _)| input);
                Some((
                    attribute(input, "name")?,
                    attribute(input, "value").map_or(Cow::Borrowed(""), unescaped),
                ))
            })
            .collect();
        for (name, value) in person {
            fields.retain(|(other, _)| other != name);
            fields.push((name, Cow::Borrowed(value)));
        }
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_ref())).collect();
        Some(request::post(HOST, action, &self.fields(&self.cookie()), &fields))
    }

    fn fields<'a>(&'a self, cookie: &'a str) -> Vec<(&'a str, &'a str)> {
        let mut fields = vec![
            ("X-Forwarded-For", self.address.as_str()),
            ("Origin", ISSUER),
            ("Sec-Fetch-Site", "same-origin"),
        ];
        if !cookie.is_empty() {
            fields.push(("Cookie", cookie));
        }
        fields
    }

    fn cookie(&self) -> String {
        let pairs: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    fn keep_cookies(&mut self, head: &[u8]) {
        let head = String::from_utf8_lossy(head);
        for line in head.lines() {
            let Some((name, value)) = line.split_once(": ") else { continue };
            let Some((name, value)) =
                name.eq_ignore_ascii_case("set-cookie").then(|| value.split_once('=')).flatten()
            else {
                continue;
            };
            let value = value.split(';').next().unwrap_or_default();
            self.cookies.retain(|(other, _)| other != name);
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
    }
}

/// The value of an attribute of the first element.
fn attribute<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    let (_, from_value) = element.split_once(&format!("{name}=\""))?;
    from_value.split_once('"').map(|(value, _)| value)
}

/// What askama writes for characters that mean something in HTML.
fn unescaped(value: &str) -> Cow<'_, str> {
    if !value.contains('&') {
        return Cow::Borrowed(value);
    }
    let plain =
        [("&#34;", "\""), ("&#38;", "&"), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&amp;", "&")];
    Cow::Owned(plain.iter().fold(value.to_owned(), |value, (escaped, plain)| value.replace(escaped, plain)))
}
