//! Whoever knows a grant's id and its generation, or has a token of another family, makes no token of this one out
//! of it: nothing is redeemed, revoked or told, and the family lives on.

use futures_util::stream::{self, StreamExt};
use grantor::secret::{TokenKind, random_bytes};
use serde_json::json;

use super::stage::{generation_of, payload_of};
use crate::harness::{Browser, RelyingParty, Server};

const OFFLINE: [(&str, &str); 1] = [("scope", "openid offline_access")];
/// How many are asked about at once.
const AT_ONCE: usize = 16;

/// The parts of a payload: grant id, generation, secret, tag.
const PARTS: [std::ops::Range<usize>; 4] = [0..16, 16..20, 20..52, 52..68];

fn encode(payload: &[u8]) -> String {
    TokenKind::RefreshToken.encode(payload).expose().clone()
}

fn with(payload: &[u8], part: usize, content: &[u8]) -> Vec<u8> {
    let mut changed = payload.to_vec();
    changed[PARTS[part].clone()].copy_from_slice(content);
    changed
}

/// The token with each single bit changed, below a checksum that fits again.
fn each_bit(payload: &[u8]) -> Vec<Vec<u8>> {
    let flip = |bit: usize| {
        let mut changed = payload.to_vec();
        changed[bit / 8] ^= 1 << (bit % 8);
        changed
    };
    (0..payload.len() * 8).map(flip).collect()
}

/// The token with parts of other tokens, and with parts of nobody's.
fn patched(payload: &[u8], others: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let of_others =
        others.iter().flat_map(|other| (0..4).map(|part| with(payload, part, &other[PARTS[part].clone()])));
    let two_of_others = others.iter().flat_map(|other| {
        [(0, 1), (1, 2), (1, 3)].map(|(one, two)| {
            let first = with(payload, one, &other[PARTS[one].clone()]);
            with(&first, two, &other[PARTS[two].clone()])
        })
    });
    let other_generations = (0..4_u32)
        .chain([u32::MAX, u32::MAX - 1, 1 << 31])
        .map(|generation| with(payload, 1, &generation.to_be_bytes()));
    let random = [
        with(payload, 2, &random_bytes::<32>()),
        with(payload, 2, &[0; 32]),
        with(payload, 3, &random_bytes::<16>()),
        with(payload, 3, &[0; 16]),
        with(&with(payload, 2, &random_bytes::<32>()), 3, &random_bytes::<16>()),
        with(&with(payload, 2, &[0; 32]), 3, &[0; 16]),
    ];
    // Where secret and tag stand in each other's place.
    let mut rotated = payload.to_vec();
    rotated[20..].rotate_right(16);
    let all = of_others.chain(two_of_others).chain(other_generations).chain(random).chain([rotated]);
    all.filter(|forged| forged != payload && !others.contains(forged)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_change_of_a_genuine_token_is_redeemed_or_ends_the_family() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &[]);
    let browser = Browser::new(&server);
    // Another family of the same person and client, further on.
    let mut other = app.sign_in(&browser, "alice", &OFFLINE).await;
    let mut of_others = vec![payload_of(other.refresh_token())];
    for _ in 0..2 {
        other = app.refresh(other.refresh_token(), &[]).await.tokens();
        of_others.push(payload_of(other.refresh_token()));
    }
    let first = app.sign_in(&browser, "alice", &OFFLINE).await;
    let second = app.refresh(first.refresh_token(), &[]).await.tokens();
    let third = app.refresh(second.refresh_token(), &[]).await.tokens();
    let own = [&first, &second, &third].map(|tokens| payload_of(tokens.refresh_token()));

    let strangers = [&of_others[..], &own[..2]].concat();
    let mut forged = each_bit(&own[2]);
    assert_eq!(forged.len(), 544);
    forged.extend(patched(&own[2], &strangers));
    forged.extend(each_bit(&own[0]).into_iter().step_by(7));
    assert!(forged.len() > 600, "{}", forged.len());
    stream::iter(forged)
        .for_each_concurrent(AT_ONCE, async |payload| {
            let token = encode(&payload);
            app.refresh(&token, &[]).await.assert_refused(400, "invalid_grant");
            let answer = app.revoke(&token).await;
            assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, ""));
            assert_eq!(app.introspect(&token).await, json!({"active": false}));
        })
        .await;

    assert!(!server.log().contains("refresh_token_reused"));
    for (tokens, generation) in [(&other, 3), (&third, 3)] {
        assert_eq!(app.introspect(tokens.refresh_token()).await["active"], true);
        assert_eq!(app.introspect(tokens.access_token()).await["active"], true);
        let next = app.refresh(tokens.refresh_token(), &[]).await.tokens();
        assert_eq!(generation_of(next.refresh_token()), generation);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_spelling_of_a_genuine_token_is_not_the_token() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &[]);
    let tokens = app.sign_in(&Browser::new(&server), "alice", &OFFLINE).await;
    let token = tokens.refresh_token();
    let body = token.strip_prefix("grr_").unwrap();
    let spellings = [
        format!("{token}="),
        format!("{token} "),
        format!(" {token}"),
        format!("{token}\u{200b}"),
        format!("GRR_{body}"),
        format!("grr_{}", body.replace(['-', '_'], "+")),
        format!("grr_{token}"),
        body.to_owned(),
        format!("grc_{body}"),
        format!("{token}{body}"),
        format!("Bearer {token}"),
    ];
    for spelling in spellings.iter().filter(|spelling| *spelling != token) {
        app.refresh(spelling, &[]).await.assert_refused(400, "invalid_grant");
        assert_eq!(app.revoke(spelling).await.status, 200);
        assert_eq!(app.introspect(spelling).await, json!({"active": false}), "{spelling}");
    }
    app.refresh(token, &[]).await.tokens();
}

/// The row is enough to know id and generation; a dump of it has what an insider has.
#[tokio::test(flavor = "multi_thread")]
async fn who_reads_the_row_cannot_use_it() {
    let server = Server::start().await;
    server.user("alice", &[]);
    let app = RelyingParty::register(&server, &[]);
    let tokens = app.sign_in(&Browser::new(&server), "alice", &OFFLINE).await;
    let payload = payload_of(tokens.refresh_token());
    let (id, hash): (uuid::Uuid, Vec<u8>) = {
        let mut sql = server.database.sql().await;
        sqlx::query_as("SELECT id, refresh_hash FROM grants").fetch_one(&mut sql).await.unwrap()
    };
    assert_eq!(id.as_bytes(), &payload[..16], "the id is no secret");
    for secret in [&hash[..], &[0; 32], &payload[20..52]] {
        for tag in [&hash[..16], &hash[16..], &[0; 16]] {
            let forged = [id.as_bytes(), &[0; 4][..], secret, tag].concat();
            app.refresh(&encode(&forged), &[]).await.assert_refused(400, "invalid_grant");
            assert_eq!(app.revoke(&encode(&forged)).await.status, 200);
        }
    }
    app.refresh(tokens.refresh_token(), &[]).await.tokens();
}
