//! What a connection asks of a peer.

use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor::secret::sha256;

use super::authorizing::Code;
use super::peer::{Form, REDIRECT_URI};
use super::server::Server;
use crate::load::{Answer, Progress, RequestSource, request};
use crate::population::Size;
use crate::rows::sources::{Supply, text};

/// Where a peer listens and what it was seeded with, for those who ask it.
#[derive(Debug, Clone)]
pub struct Asked {
    pub peer: &'static super::peer::Peer,
    pub address: SocketAddr,
    pub size: Size,
}

impl Asked {
    pub fn of(server: &Server) -> Self {
        Self { peer: server.peer, address: server.processes.address(), size: server.size }
    }

    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// The identifier of client `n`, or of the one that grant `n` belongs to, as `population.sql` has made it.
    pub fn client_id(&self, n: u64) -> String {
        format!("client-{}", n % self.size.clients)
    }

    /// A form that this client posts.
    pub fn post_as(&self, n: u64, path: &str, form: &[(&str, &str)]) -> Vec<u8> {
        let secret = sha256(format!("secret {}", n % self.size.clients).as_bytes());
        let secret: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        request::post_as(&self.client_id(n), &secret, &self.host(), path, form)
    }

    pub fn client_credentials(&self, n: u64) -> Vec<u8> {
        let form = [&[("grant_type", "client_credentials")], self.peer.for_api].concat();
        self.post_as(n, self.peer.token, &form)
    }

    pub fn introspection(&self, n: u64, token: &str) -> Vec<u8> {
        let form = [("token", token), ("token_type_hint", "access_token")];
        self.post_as(n, self.peer.introspection, &form)
    }

    pub fn userinfo(&self, token: &str) -> Vec<u8> {
        request::get(&self.host(), self.peer.userinfo, &[("Authorization", &format!("Bearer {token}"))])
    }

    fn refresh(&self, grant: u64, token: &str, kind: Form) -> Vec<u8> {
        let form = [&[("grant_type", "refresh_token"), ("refresh_token", token)], kind].concat();
        self.post_as(grant, self.peer.token, &form)
    }
}

/// The first refresh token of grant `n`.
fn refresh_token(n: u64) -> String {
    URL_SAFE_NO_PAD.encode(sha256(format!("refresh {n}").as_bytes()))
}

/// Refreshes the tokens of some grants, one after the other, and again with what came of it.
pub struct Refreshing {
    asked: Asked,
    kind: Form,
    /// Each with its newest refresh token.
    grants: Vec<(u64, String)>,
    next: usize,
}

impl Refreshing {
    pub fn new(asked: Asked, grants: impl Iterator<Item = u64>, kind: Form) -> Self {
        Self { asked, kind, grants: grants.map(|grant| (grant, refresh_token(grant))).collect(), next: 0 }
    }
}

impl RequestSource for Refreshing {
    fn next(&mut self, request: &mut Vec<u8>) -> bool {
        let (grant, token) = &self.grants[self.next];
        request.extend_from_slice(&self.asked.refresh(*grant, token, self.kind));
        true
    }

    fn answered(&mut self, answer: &Answer<'_>) -> Progress {
        let this = self.next;
        self.next = (this + 1) % self.grants.len();
        let (_, last) = &mut self.grants[this];
        match text(answer.body, "refresh_token") {
            // One that stays the same was not rotated.
            Some(token) if answer.status == 200 && token != last => {
                token.clone_into(last);
                Progress::Done
            }
            _ => Progress::Wrong,
        }
    }
}

/// Gets one access token of each of some grants.
pub struct Borrowing {
    pub asked: Asked,
    pub kind: Form,
    pub grants: Vec<u64>,
    /// Those of the first grants, with their numbers.
    pub borrowed: Vec<(u64, String)>,
}

impl RequestSource for Borrowing {
    fn next(&mut self, request: &mut Vec<u8>) -> bool {
        let Some(&grant) = self.grants.get(self.borrowed.len()) else { return false };
        request.extend_from_slice(&self.asked.refresh(grant, &refresh_token(grant), self.kind));
        true
    }

    fn answered(&mut self, answer: &Answer<'_>) -> Progress {
        let Some(token) = text(answer.body, "access_token") else { return Progress::Wrong };
        self.borrowed.push((self.grants[self.borrowed.len()], token.to_owned()));
        answer.expect(200)
    }
}

/// Redeems codes that were made before.
pub struct Redeeming {
    pub asked: Asked,
    pub codes: Supply<Code>,
}

impl RequestSource for Redeeming {
    fn next(&mut self, request: &mut Vec<u8>) -> bool {
        let Some(Code { code, verifier, client }) = self.codes.take() else { return false };
        let own: [(&str, &str); 4] = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("code_verifier", &verifier),
            ("redirect_uri", REDIRECT_URI),
        ];
        let Asked { peer, .. } = self.asked;
        request.extend_from_slice(&self.asked.post_as(client, peer.token, &[&own, peer.redemption].concat()));
        true
    }

    fn answered(&mut self, answer: &Answer<'_>) -> Progress {
        let is_there = |name| text(answer.body, name).is_some();
        let are_complete = ["access_token", "id_token", "refresh_token"].into_iter().all(is_there);
        if are_complete { answer.expect(200) } else { Progress::Wrong }
    }
}
