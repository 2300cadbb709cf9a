//! Actors: a server with its own database, a browser, a relying party.

mod asserting_client;
mod browser;
mod certificate;
mod database;
mod installation;
pub mod jwt;
mod logout_receiver;
mod port;
mod relying_party;
mod serialization_failures;
mod server;
mod silence;
mod statements;
mod token_endpoint;
mod volley;
mod wire;
mod wrong_clock;

pub use asserting_client::{AssertingClient, Assertion, ClientKey, JWT_BEARER, KeyServer, unix_now};
pub use browser::{Answer, Browser, query_of};
pub use certificate::Certificate;
pub use database::{MASTER_KEY, TestDatabase};
pub use installation::{Installation, Process, until};
pub use logout_receiver::{LogoutReceiver, set_backchannel_logout_uri};
pub use port::free_port;
pub use relying_party::{RelyingParty, Tokens, claims_of, pkce};
pub use server::{Server, Settings, password_of};
pub use silence::SilentProxy;
pub use statements::{CountingProxy, Moment};
pub use volley::{Hit, Shot, volley};
pub use wire::Wire;
pub use wrong_clock::WrongClock;
