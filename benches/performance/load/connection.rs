//! A connection that is kept, on which one request at a time is under way.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

/// Grows where an answer is longer.
const BUFFER: usize = 16 * 1024;

pub struct Connection {
    stream: TcpStream,
    address: SocketAddr,
    token: Token,
    /// What is to be sent.
    pub request: Vec<u8>,
    /// What has come, in its first `filled` bytes.
    pub received: Vec<u8>,
    filled: usize,
    busy: bool,
    closing: bool,
}

/// What reading has led to.
pub enum Event {
    Partial,
    Complete(Complete),
    Lost(String),
}

/// Where the parts of an answer end.
#[derive(Clone, Copy)]
pub struct Complete {
    pub status: u16,
    pub head: usize,
    pub end: usize,
}

impl Connection {
    /// Connects, and registers the connection under this token.
    pub fn open(address: SocketAddr, registry: &Registry, token: Token) -> Self {
        let stream = connect(address, registry, token).expect("the server accepts connections");
        Self {
            stream,
            address,
            token,
            request: Vec::with_capacity(2048),
            received: vec![0; BUFFER],
            filled: 0,
            busy: false,
            closing: false,
        }
    }

    /// Whether an answer is due.
    pub fn is_busy(&self) -> bool {
        self.busy
    }

    /// The answer was read.
    pub fn rest(&mut self) {
        self.busy = false;
        self.filled = 0;
    }

    /// Sends the request.
    pub fn send(&mut self, registry: &Registry) -> std::io::Result<()> {
        if self.closing {
            self.stream = connect(self.address, registry, self.token)?;
            self.closing = false;
        }
        // It fits into the socket's buffer, which is empty: nothing else is under way.
        self.stream.write_all(&self.request)?;
        self.busy = true;
        Ok(())
    }

    pub fn receive(&mut self) -> Event {
        loop {
            if self.filled == self.received.len() {
                self.received.resize(2 * self.filled, 0);
            }
            match self.stream.read(&mut self.received[self.filled..]) {
                Ok(0) => return self.lost("the server closed the connection".to_owned()),
                Ok(length) => self.filled += length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Event::Partial,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return self.lost(format!("the connection was lost: {error}")),
            }
            match self.complete() {
                Ok(Some(complete)) if self.filled >= complete.end => {
                    let head = &self.received[..complete.head];
                    self.closing =
                        field(head, b"connection").is_some_and(|it| it.eq_ignore_ascii_case(b"close"));
                    return Event::Complete(complete);
                }
                Ok(_) => {}
                Err(why) => return self.lost(why),
            }
        }
    }

    fn lost(&mut self, why: String) -> Event {
        self.busy = false;
        self.filled = 0;
        self.closing = true;
        Event::Lost(why)
    }

    /// Where the parts end; `None`: the head has not come yet.
    fn complete(&self) -> Result<Option<Complete>, String> {
        let received = &self.received[..self.filled];
        let Some(head) = memchr::memmem::find(received, b"\r\n\r\n").map(|at| at + 4) else {
            return Ok(None);
        };
        let head_bytes = &received[..head];
        let status = number(head_bytes.get(9..12).unwrap_or_default());
        let length = match status {
            Some(204 | 304) => Some(0),
            _ => field(head_bytes, b"content-length").and_then(number),
        };
        match (status, length) {
            (Some(status), Some(length)) => {
                let status = u16::try_from(status).unwrap_or(u16::MAX);
                Ok(Some(Complete { status, head, end: head + length }))
            }
            _ => Err(format!("neither status nor length: {}", String::from_utf8_lossy(head_bytes))),
        }
    }
}

/// The value of the first field of this name, in lower case.
pub fn field<'a>(head: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let mut rest = head;
    while let Some(end) = memchr::memchr(b'\n', rest) {
        let line = &rest[..end];
        if line.len() > name.len()
            && line[name.len()] == b':'
            && line[..name.len()].eq_ignore_ascii_case(name)
        {
            return Some(line[name.len() + 1..].trim_ascii());
        }
        rest = &rest[end + 1..];
    }
    None
}

fn number(digits: &[u8]) -> Option<usize> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn connect(address: SocketAddr, registry: &Registry, token: Token) -> std::io::Result<TcpStream> {
    let stream = std::net::TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    let mut stream = TcpStream::from_std(stream);
    registry.register(&mut stream, token, Interest::READABLE)?;
    Ok(stream)
}
