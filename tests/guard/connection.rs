//! One kept connection to the guarded server, over which whole requests go as bytes.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

pub struct Connection(TcpStream);

impl Connection {
    pub fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(stream)
    }

    /// Sends the request and reads its answer, which must have this status.
    pub fn exchange(&mut self, request: &[u8], status: u16) {
        self.0.write_all(request).unwrap();
        let mut answer = Vec::with_capacity(16 * 1024);
        while !is_whole(&answer) {
            let mut piece = [0; 4096];
            let length = self.0.read(&mut piece).unwrap();
            assert!(length > 0, "the server closed the connection");
            answer.extend_from_slice(&piece[..length]);
        }
        let expected = format!("HTTP/1.1 {status} ");
        let text = String::from_utf8_lossy(&answer);
        assert!(text.starts_with(&expected), "{}\n{text}", String::from_utf8_lossy(request));
    }
}

/// Whether head and body are there. All answers have a `Content-Length`.
fn is_whole(answer: &[u8]) -> bool {
    let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&answer[..end]).to_lowercase();
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
    answer.len() >= end + 4 + length.map_or(0, |length| length.trim().parse().unwrap())
}
