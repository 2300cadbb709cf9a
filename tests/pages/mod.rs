//! What people and their browsers meet.

mod account;
mod apps;
mod errors;
mod headers;
mod hosts;
mod password;
mod session;
mod sessions;
mod set_password;
mod sign_in;
mod sign_out;
mod throttle;
