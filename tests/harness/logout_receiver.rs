//! An app's back-channel logout endpoint, on this machine.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::relying_party::RelyingParty;
use super::server::Server;

/// A request that came.
#[derive(Debug, Clone)]
pub struct LogoutRequest {
    pub path: String,
    /// The head, in lower case.
    pub head: String,
    pub logout_token: String,
    /// All fields of the form.
    pub fields: Vec<String>,
}

/// Receives logout tokens and answers as it is told.
pub struct LogoutReceiver {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<LogoutRequest>>>,
    answer: Arc<Mutex<(String, Duration)>>,
}

impl LogoutReceiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests: Arc<Mutex<Vec<_>>> = Arc::default();
        let answer = Arc::new(Mutex::new(("200 OK".to_owned(), Duration::ZERO)));
        let (received, given) = (Arc::clone(&requests), Arc::clone(&answer));
        tokio::spawn(async move {
            while let Ok((mut visitor, _)) = listener.accept().await {
                let (received, given) = (Arc::clone(&received), Arc::clone(&given));
                tokio::spawn(async move {
                    let Some(request) = read(&mut visitor).await else { return };
                    received.lock().unwrap().push(request);
                    let (head, delay) = given.lock().unwrap().clone();
                    tokio::time::sleep(delay).await;
                    let answer = format!("HTTP/1.1 {head}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                    let _ = visitor.write_all(answer.as_bytes()).await;
                    let _ = visitor.shutdown().await;
                });
            }
        });
        Self { address, requests, answer }
    }

    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on it answers with this status line and further headers, after a while.
    pub fn answers(&self, head: &str, delay: Duration) {
        *self.answer.lock().unwrap() = (head.to_owned(), delay);
    }

    /// What came at this path so far.
    pub fn requests(&self, path: &str) -> Vec<LogoutRequest> {
        self.requests.lock().unwrap().iter().filter(|request| request.path == path).cloned().collect()
    }

    /// An app that is told of logouts at this path. The command line, which does not know the server's configuration,
    /// would refuse the address.
    pub async fn register(&self, server: &Server, path: &str, arguments: &[&str]) -> RelyingParty {
        let app = RelyingParty::register(server, arguments);
        set_backchannel_logout_uri(server, &app.client_id, &format!("{}{path}", self.origin())).await;
        app
    }
}

/// Registers an address that the command line would refuse.
pub async fn set_backchannel_logout_uri(server: &Server, client_id: &str, uri: &str) {
    let mut connection = server.database.sql().await;
    let set = sqlx::query("UPDATE clients SET backchannel_logout_uri = $1 WHERE client_id = $2");
    set.bind(uri).bind(client_id).execute(&mut connection).await.unwrap();
}

async fn read(visitor: &mut TcpStream) -> Option<LogoutRequest> {
    let mut bytes = Vec::new();
    loop {
        if visitor.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let path = head.split(' ').nth(1)?.to_owned();
        let head = head.to_lowercase();
        let length: usize = head.split("content-length: ").nth(1)?.lines().next()?.parse().ok()?;
        if body.len() < length {
            continue;
        }
        let form: Vec<(String, String)> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        let logout_token = form.iter().find(|(name, _)| name == "logout_token")?.1.clone();
        let fields = form.into_iter().map(|(name, _)| name).collect();
        return Some(LogoutRequest { path, head, logout_token, fields });
    }
}
