//! Grantor: an OAuth 2.1 authorization server and OpenID Connect provider.
//!
//! The modules stand in the order in which they may use each other: each uses only those above it.

pub mod secret;
pub mod time;

// The protocol: types and pure functions.
pub mod protocol;

pub mod jose;

pub mod config;

pub mod telemetry;

// Requests that Grantor itself makes.
pub mod outgoing;

// What is stored.
pub mod model;

pub mod store;

pub mod keys;

// The authorization server.
pub mod clients;

pub mod users;

pub mod authorization;

pub mod grants;

pub mod tokens;

pub mod logout;

// An app that ships with it.
pub mod demo;

// The edges.
pub mod app;

pub mod web;

pub mod jobs;

pub mod cli;
