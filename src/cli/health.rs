//! `grantor health`: for the health check of a container, which has no other program to ask with.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Value, json};

use super::output::print;
use super::{CommandError, GlobalOptions};
use crate::config::Config;

pub(super) const ABOUT: &str = "\
Ask the server on this machine whether it is ready; exit 0 if it is, else 1

It asks for /health/ready at the address that the server listens on, which it
takes from the same configuration: give it the environment, the --config and the
--listen of the server. Where the server itself speaks TLS, it only looks
whether the port accepts connections. It waits 3 seconds at most and needs
neither database nor master key.

Examples:
  grantor health
  grantor health --listen 127.0.0.1:9000";

/// The server answers from memory: whoever takes longer is not well.
const TIMEOUT: Duration = Duration::from_secs(3);

/// More than any answer of `/health/ready`, in bytes.
const MAX_ANSWER: u64 = 16 * 1024;

#[derive(Debug, Args)]
pub(super) struct Options {
    /// Where the server accepts requests
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<String>,
}

pub(super) fn run(options: Options, global: &GlobalOptions) -> Result<(), CommandError> {
    let mut overrides = global.overrides();
    overrides.listen = options.listen;
    let config = Config::load(&overrides)?;
    let address = reachable(config.server.listen)?;
    let away = |error: io::Error| not_ready(format!("{address} does not answer: {error}"));
    let stream = TcpStream::connect_timeout(&address, TIMEOUT).map_err(away)?;
    if config.server.tls_cert.is_none() {
        let answer = ask(stream, address).map_err(away)?;
        if !is_tls(&answer) {
            judge(&String::from_utf8_lossy(&answer))?;
        }
    }
    print(global.json, &json!({ "status": "ready" }), || format!("The server at {address} is ready."))
}

fn not_ready(description: impl ToString) -> CommandError {
    CommandError::new("temporarily_unavailable", description)
}

/// Where this machine reaches a server that listens here.
fn reachable(listen: SocketAddr) -> Result<SocketAddr, CommandError> {
    if listen.port() == 0 {
        let unknown = "the server listens on a port that the system chose: give it by --listen";
        return Err(CommandError::new("invalid_configuration", unknown));
    }
    let ip = match listen.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
    };
    Ok(SocketAddr::new(ip, listen.port()))
}

/// Whether a server that was told by flags to speak TLS has refused plain HTTP: by an alert (RFC 8446 §5.1).
fn is_tls(answer: &[u8]) -> bool {
    matches!(answer, [21, 3, ..])
}

fn ask(mut stream: TcpStream, address: SocketAddr) -> io::Result<Vec<u8>> {
    let until = Instant::now() + TIMEOUT;
    stream.set_write_timeout(Some(TIMEOUT))?;
    write!(stream, "GET /health/ready HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    let mut buffer = [0; 1024];
    // The time limit is for all of the answer, however small its pieces are.
    while (answer.len() as u64) < MAX_ANSWER {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut buffer)? {
            0 => break,
            read => answer.extend_from_slice(&buffer[..read]),
        }
    }
    Ok(answer)
}

/// `Ok` if the answer is 200 (RFC 9112 §4); otherwise what the server says of itself.
fn judge(answer: &str) -> Result<(), CommandError> {
    let status = answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3));
    if status == Some("200") {
        return Ok(());
    }
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let reason = serde_json::from_str::<Value>(body).ok();
    let reason = reason.as_ref().and_then(|body| body["reason"].as_str());
    Err(not_ready(match (reason, status) {
        (Some(reason), _) => format!("the server is not ready: {reason}"),
        (None, Some(status)) => format!("what listens there answers {status}"),
        (None, None) => "what listens there does not speak HTTP".to_owned(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_is_the_answer_of_tls_to_plain_http() {
        assert!(is_tls(&[21, 3, 3, 0, 2, 2, 70]));
        assert!(!is_tls(b"HTTP/1.1 200 OK\r\n"));
        assert!(!is_tls(b""));
    }

    #[test]
    fn a_server_that_listens_everywhere_is_asked_over_loopback() {
        for (listen, expected) in [
            ("127.0.0.1:8080", Some("127.0.0.1:8080")),
            ("0.0.0.0:80", Some("127.0.0.1:80")),
            ("[::]:80", Some("[::1]:80")),
            ("192.0.2.7:80", Some("192.0.2.7:80")),
            ("127.0.0.1:0", None),
        ] {
            let asked = reachable(listen.parse().unwrap()).ok();
            assert_eq!(asked.map(|address| address.to_string()).as_deref(), expected, "{listen}");
        }
    }

    #[test]
    fn only_200_is_ready_and_the_reason_is_told() {
        assert!(judge("HTTP/1.1 200 OK\r\n\r\n{}").is_ok());
        for (answer, told) in [
            ("HTTP/1.1 503 Service Unavailable\r\n\r\n{\"reason\":\"shutting down\"}", "shutting down"),
            ("HTTP/1.1 404 Not Found\r\n\r\n", "404"),
            ("SSH-2.0-OpenSSH\r\n", "HTTP"),
            ("", "HTTP"),
        ] {
            let error = judge(answer).unwrap_err();
            assert!(error.description().contains(told), "{answer}: {}", error.description());
        }
    }
}
