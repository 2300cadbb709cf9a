//! The handlers, one file each; `routes.rs` shows where they stand.

// For programs.
pub mod health;
pub mod introspect;
pub mod jwks;
pub mod metadata;
pub mod register;
pub mod revoke;
pub mod token;
pub mod userinfo;

// For people.
pub mod account;
pub mod apps;
pub mod authorize;
pub mod consent;
pub mod demo;
pub mod logout;
pub mod password;
pub mod select_account;
pub mod sessions;
pub mod set_password;
pub mod sign_in;
pub mod sign_out;
pub mod start;
