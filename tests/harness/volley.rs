//! Requests that arrive in the same moment: each has a connection of its own, on which all but the last byte
//! was sent before; the last bytes follow together.

use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::relying_party::RelyingParty;

/// A form to be posted by a client.
pub struct Shot {
    port: u16,
    request: Vec<u8>,
}

/// What came back.
#[derive(Debug)]
pub struct Hit {
    pub status: StatusCode,
    pub body: String,
}

impl Shot {
    /// A form for the server that the client speaks to.
    pub fn new(client: &RelyingParty, path: &str, form: &[(&str, &str)]) -> Self {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .append_pair("client_id", &client.client_id)
            .extend_pairs(client.client_secret.iter().map(|secret| ("client_secret", secret)))
            .finish();
        let (address, length) = (client.address(), body.len());
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}"
        );
        let port = address.rsplit(':').next().unwrap().parse().unwrap();
        Self { port, request: request.into_bytes() }
    }

    /// A page's form as a browser with this cookie sends it, to the process at this address.
    pub fn of_browser(address: &str, host: &str, path: &str, cookie: &str, form: &[(&str, &str)]) -> Self {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let length = body.len();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n\
             Cookie: {cookie}\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n{body}"
        );
        let port = address.rsplit(':').next().unwrap().parse().unwrap();
        Self { port, request: request.into_bytes() }
    }
}

impl Hit {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {} {}", self.status, self.body))
    }
}

/// Sends all of them in one moment.
pub async fn volley(shots: impl IntoIterator<Item = Shot>) -> Vec<Hit> {
    let loaded = join_all(shots.into_iter().map(async |shot| {
        let mut connection = TcpStream::connect(("127.0.0.1", shot.port)).await.unwrap();
        connection.set_nodelay(true).unwrap();
        let (last, most) = shot.request.split_last().unwrap();
        connection.write_all(most).await.unwrap();
        (connection, *last)
    }))
    .await;
    join_all(loaded.into_iter().map(async |(mut connection, last)| {
        connection.write_all(&[last]).await.unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Hit { status, body: body.to_owned() }
    }))
    .await
}
