//! Connections that rest too long.
//!
//! The HTTP library gives a client time for the head of its first request, and for the pause between two requests.
//! It gives any time to a head that has been begun after a pause, and to an answer that nobody reads. So each worker
//! looks through its connections, and cuts those on which nothing has been in work for longer than both together.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::net::{Shutdown, TcpStream as Socket};
use std::os::fd::AsFd;
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant};

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;

const SWEEP: Duration = Duration::from_secs(1);

thread_local! {
    /// Those of this worker.
    static CONNECTIONS: RefCell<Vec<Weak<Connection>>> = const { RefCell::new(Vec::new()) };
}

/// A connection, as long as the library has it.
pub struct Connection {
    /// A second handle, by which it can be ended while the library waits on the first.
    socket: Socket,
    in_work: Cell<usize>,
    rests_since: Cell<Instant>,
}

/// A request in work on a connection; it counts until it is dropped.
pub struct InWork(Rc<Connection>);

impl Connection {
    /// Takes a new connection into account.
    pub fn enter(stream: &dyn Any, of_connection: &mut Extensions) {
        let plain = stream.downcast_ref::<TcpStream>();
        let stream =
            plain.or_else(|| stream.downcast_ref::<TlsStream<TcpStream>>().map(|tls| tls.get_ref().0));
        let Some(Ok(socket)) = stream.map(|stream| stream.as_fd().try_clone_to_owned()) else { return };
        let (in_work, rests_since) = (Cell::new(0), Cell::new(Instant::now()));
        let connection = Rc::new(Self { socket: socket.into(), in_work, rests_since });
        CONNECTIONS.with_borrow_mut(|all| all.push(Rc::downgrade(&connection)));
        of_connection.insert(connection);
    }

    /// A request on it is in work.
    pub fn begin(self: &Rc<Self>) -> InWork {
        self.in_work.set(self.in_work.get() + 1);
        InWork(Rc::clone(self))
    }

    /// A request on it came at this moment and was answered at once.
    pub fn answered_at(&self, moment: Instant) {
        self.rests_since.set(moment);
    }

    fn rests_too_long(&self, longest: Duration) -> bool {
        self.in_work.get() == 0 && self.rests_since.get().elapsed() > longest
    }
}

impl Drop for InWork {
    fn drop(&mut self) {
        self.0.in_work.set(self.0.in_work.get() - 1);
        self.0.rests_since.set(Instant::now());
    }
}

/// Cuts this worker's connections that rest longer, as long as the worker lives.
pub async fn cut_resting(longest: Duration) {
    loop {
        tokio::time::sleep(SWEEP).await;
        CONNECTIONS.with_borrow_mut(|all| {
            all.retain(|connection| {
                let Some(connection) = connection.upgrade() else { return false };
                if connection.rests_too_long(longest) {
                    // It may have ended in this moment.
                    let _ = connection.socket.shutdown(Shutdown::Both);
                }
                true
            });
        });
    }
}
