//! Where Grantor's answer arrives: a port of the loopback interface that is open while the program waits (RFC 8252 §7.3).

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use openidconnect::url::Url;
use openidconnect::{AuthorizationCode, CsrfToken, IssuerUrl, RedirectUrl};

/// In bytes.
const LONGEST_REQUEST: u64 = 32_768;

/// An open port.
pub struct Callback(TcpListener);

impl Callback {
    /// Opens whichever port is free.
    pub fn listen() -> Result<Self> {
        Ok(Self(TcpListener::bind("127.0.0.1:0")?))
    }

    /// The client is registered with `http://127.0.0.1/callback`; the port does not count.
    pub fn redirect_uri(&self) -> Result<RedirectUrl> {
        let port = self.0.local_addr()?.port();
        Ok(RedirectUrl::new(format!("http://127.0.0.1:{port}/callback"))?)
    }

    /// Waits until the browser comes back.
    pub fn wait(self) -> Result<Answer> {
        for connection in self.0.incoming() {
            if let Some(answer) = read(connection?)? {
                return Ok(answer);
            }
        }
        bail!("the port was closed")
    }
}

/// The address that the browser asks for, with Grantor's answer in its query.
pub struct Answer(Url);

impl Answer {
    /// The code, if the answer is one to our question (RFC 6749 §10.12) from the server that we asked (RFC 9207).
    pub fn code(&self, issuer: &IssuerUrl, state: &CsrfToken) -> Result<AuthorizationCode> {
        ensure!(self.parameter("state").as_ref() == Some(state.secret()), "this answers another question");
        ensure!(
            self.parameter("iss").as_deref() == Some(issuer.as_str()),
            "this answer is from another server"
        );
        if let Some(error) = self.parameter("error") {
            bail!("not signed in: {error}");
        }
        Ok(AuthorizationCode::new(self.parameter("code").context("the answer has no code")?))
    }

    fn parameter(&self, name: &str) -> Option<String> {
        self.0.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}

/// Reads a request, and thanks for it. Nothing but the redirect is an answer: browsers also ask for icons.
fn read(mut connection: TcpStream) -> Result<Option<Answer>> {
    connection.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut lines = BufReader::new((&connection).take(LONGEST_REQUEST)).lines();
    let first = lines.next().transpose().ok().flatten().unwrap_or_default();
    // What is left unread would reset the connection before the browser has our page.
    lines.map_while(Result::ok).take_while(|line| !line.is_empty()).for_each(drop);
    let path = first.split(' ').nth(1).unwrap_or_default();
    let is_answer = path.starts_with("/callback?");
    let (status, page) = if is_answer {
        ("200 OK", "<!doctype html><title>Answered</title><p id=answered>You may close this window.")
    } else {
        ("404 Not Found", "")
    };
    write!(
        connection,
        "HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {}\r\nReferrer-Policy: no-referrer\r\nConnection: close\r\n\r\n{page}",
        page.len(),
    )?;
    Ok(is_answer.then(|| Url::parse(&format!("http://127.0.0.1{path}")).map(Answer)).transpose()?)
}
