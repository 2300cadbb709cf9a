//! Bytes over TCP, for what no decent client would send.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::server::Server;

/// A connection to the server.
pub struct Wire(TcpStream);

impl Wire {
    pub async fn connect(server: &Server) -> Self {
        Self(TcpStream::connect(server.address()).await.unwrap())
    }

    /// Sends, as far as the server takes it.
    pub async fn send(&mut self, bytes: &[u8]) {
        let _ = self.0.write_all(bytes).await;
    }

    /// Everything that comes until the server closes the connection; `None` if it has not done so in time.
    pub async fn read_to_end(&mut self, at_most: Duration) -> Option<String> {
        let mut answer = Vec::new();
        // A reset ends the connection as well as anything.
        tokio::time::timeout(at_most, self.0.read_to_end(&mut answer)).await.ok()?.ok();
        Some(String::from_utf8_lossy(&answer).into_owned())
    }

    /// One request on a connection of its own; the answer with its head.
    pub async fn ask(server: &Server, request: &[u8]) -> String {
        let mut wire = Self::connect(server).await;
        wire.send(request).await;
        wire.read_to_end(Duration::from_secs(10)).await.expect("an answer and the end of the connection")
    }
}
