//! What happens around every request.

mod host;
pub mod request_log;
mod unread_body;

pub use host::guard_pages;
pub use unread_body::close_with_unread_body;
