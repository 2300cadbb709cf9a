//! Ports that a test can name before anything listens there.

use std::net::TcpListener;

use grantor::secret::random_bytes;

/// A free port below those that the system gives to connections, so that none of the many that run beside takes
/// it before the server does.
pub fn free_port() -> u16 {
    let candidate = || 20_000 + u16::from_be_bytes(random_bytes()) % 12_000;
    std::iter::repeat_with(candidate)
        .take(100)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("one of a hundred ports is free")
}
