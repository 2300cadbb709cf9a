//! What follows from a number: ids, secrets, who has what. `functions.sql` computes the same in PostgreSQL.

use grantor::keys::{MasterKey, Purpose};
use grantor::model::{CodeId, GrantId, UserId};
use grantor::secret::{TokenKind, base64url, sha256};
use uuid::Uuid;

/// Grants end on so many days that follow each other, so that several partitions are filled.
pub const DAYS_OF_ENDS: u64 = 80;

/// The first of them, counted from the day on which the population was begun.
pub const FIRST_END: u64 = 6;

/// Grants that were approved today end so many days from now.
pub const LONGEST_LIFE: u64 = 90;

/// Codes live longer than the configured minute, so that one statement can make many of them.
pub const CODES_END: u64 = 2;

/// Grants of one person to one app: two devices.
pub const GRANTS_PER_CONSENT: u64 = 2;

/// Each so many grants one hangs on a session, the others have `offline_access`.
pub const SESSION_EVERY: u64 = 100;

/// Factors that spread people over apps. A person's apps are different ones.
pub const SPREAD: (u64, u64) = (7_919, 3_571);

/// Goes through a range in an order that has nothing to do with that of the rows.
pub const STRIDE: u64 = 6_700_417;

/// How numbers become rows.
#[derive(Debug, Clone, Copy)]
pub struct Numbers {
    pub users: u64,
    pub clients: u64,
    /// The day on which the population was begun.
    pub first_day: u64,
}

/// What statements say of numbers in words of their own.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    pub users: u64,
    pub clients: u64,
    pub by_user: u64,
    pub by_app: u64,
    pub stride: u64,
    /// The first day on which grants end, and how many such days follow each other.
    pub first_end: u64,
    pub days_of_ends: u64,
    /// The days on which what is made now ends.
    pub code_day: u64,
    pub grant_day: u64,
}

impl Numbers {
    pub fn layout(self) -> Layout {
        let Self { users, clients, first_day } = self;
        let (by_user, by_app) = SPREAD;
        Layout {
            users,
            clients,
            by_user,
            by_app,
            stride: STRIDE,
            first_end: first_day + FIRST_END,
            days_of_ends: DAYS_OF_ENDS,
            code_day: first_day + CODES_END,
            grant_day: first_day + LONGEST_LIFE,
        }
    }

    /// Whose the pair of a person and an app is.
    pub fn user_of_pair(self, pair: u64) -> u64 {
        pair % self.users
    }

    pub fn client_of_pair(self, pair: u64) -> u64 {
        (self.user_of_pair(pair) * SPREAD.0 + pair / self.users * SPREAD.1) % self.clients
    }

    pub fn grant_id(self, n: u64) -> GrantId {
        dated_id("grant", n, self.first_day + FIRST_END + n % DAYS_OF_ENDS).into()
    }

    pub fn code_id(self, n: u64) -> CodeId {
        dated_id("code", n, self.first_day + CODES_END).into()
    }
}

/// The `i`-th number below `count` in an order that touches everything alike.
pub fn scattered(i: u64, count: u64) -> u64 {
    let wide = u128::from(i) * u128::from(STRIDE) % u128::from(count.max(1));
    u64::try_from(wide).unwrap_or_default()
}

pub fn hash(what: &str, n: u64) -> [u8; 32] {
    sha256(format!("bench {what} {n}").as_bytes())
}

fn id_bytes(what: &str, n: u64) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash(what, n)[..16]);
    bytes[6] = 0x80 | (bytes[6] & 0x0f);
    bytes[8] = 0x80 | (bytes[8] & 0x0f);
    bytes
}

pub fn id(what: &str, n: u64) -> Uuid {
    Uuid::from_bytes(id_bytes(what, n))
}

fn dated_id(what: &str, n: u64, day: u64) -> Uuid {
    let mut bytes = id_bytes(what, n);
    bytes[..2].copy_from_slice(&day.to_be_bytes()[6..]);
    Uuid::from_bytes(bytes)
}

pub fn user_id(n: u64) -> UserId {
    id("user", n).into()
}

pub fn username(n: u64) -> String {
    format!("person-{n}")
}

pub fn client_id(n: u64) -> String {
    id("client", n).to_string()
}

pub fn client_secret(n: u64) -> String {
    TokenKind::ClientSecret.encode(&hash("client secret", n)).expose().clone()
}

/// The first refresh token of a grant, as `AuthenticToken::first(…).encode(…)` makes it of a random secret.
pub fn refresh_token(grant: GrantId, n: u64, key: &MasterKey) -> String {
    let (generation, secret) = ([0; 4], hash("refresh", n));
    let tag = key.hmac(Purpose::RefreshTag, &[grant.as_bytes(), &generation, &secret]);
    let payload = [grant.as_bytes().as_slice(), &generation, &secret, &tag[..16]].concat();
    TokenKind::RefreshToken.encode(&payload).expose().clone()
}

pub fn code(id: CodeId, n: u64) -> String {
    let payload = [id.as_bytes().as_slice(), &hash("code secret", n)].concat();
    TokenKind::AuthorizationCode.encode(&payload).expose().clone()
}

/// The `code_verifier` (RFC 7636 §4.1) of a code.
pub fn verifier(n: u64) -> String {
    base64url(&hash("verifier", n))
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
