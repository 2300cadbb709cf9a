//! What happens around every request.

mod bounded;
mod connection;
mod cors;
mod host;
pub mod request_log;
mod unread_body;

pub use bounded::bounded;
pub use connection::hold_connection;
pub use cors::{let_scripts_read, open_to_scripts, preflight};
pub use host::guard_pages;
pub use unread_body::close_with_unread_body;
