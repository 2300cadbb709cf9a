//! HTTP: what browsers and clients meet.

pub mod assets;
pub mod pages;
pub mod security_headers;
