//! Refresh token families under everything at once: held against a model, killed between statement and answer,
//! forged bit by bit, and taken back amid a storm.

mod by_the_rule;
mod finality;
mod forgeries;
mod killed_database;
mod killed_server;
mod linearization;
mod model;
mod stage;
