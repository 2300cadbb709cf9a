use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use futures_util::future::join_all;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::outgoing::Policy;
use crate::secret::base64url;

fn held(max_age: Option<u64>, fetched_at: Instant) -> Held {
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    let keys = ClientJwks::usable(&json!({"keys": [jwk]})).unwrap();
    Held::new(keys, max_age.map(Duration::from_secs), fetched_at)
}

#[test]
fn keys_are_fresh_for_as_long_as_is_said_within_bounds() {
    let fetched_at = Instant::now();
    for (max_age, fresh_for) in
        [(None, 300), (Some(0), 60), (Some(61), 61), (Some(3_599), 3_599), (Some(86_400), 3_600)]
    {
        let held = held(max_age, fetched_at);
        let at = |seconds| fetched_at + Duration::from_secs(seconds);
        assert!(held.is_fresh(at(fresh_for - 1)) && !held.is_fresh(at(fresh_for)), "{max_age:?}");
        assert!(
            held.is_usable(at(fresh_for + 3_599)) && !held.is_usable(at(fresh_for + 3_600)),
            "{max_age:?}"
        );
    }
}

#[test]
fn an_answer_that_is_no_key_set_is_none() {
    let too_many = json!({"keys": vec![json!({}); 21]}).to_string();
    for body in ["", "<html>", "{}", "[]", r#"{"keys":{}}"#, &too_many] {
        let fetched = Fetched { body: body.as_bytes().to_vec(), max_age: None };
        assert!(read(fetched).is_err(), "{body}");
    }
}

#[tokio::test]
async fn a_set_without_keys_takes_back_those_before() {
    for body in [r#"{"keys":[]}"#, r#"{"keys":[{"kty":"oct","k":"AA"}]}"#] {
        let (uri, key_sets) = address(body, Duration::ZERO).await;
        let (assertion, keys) = signed();
        remember_old(&key_sets, &uri, keys);
        let ends = ends_of(&key_sets, &uri, 1, 1, &assertion).await;
        assert_eq!(count(&ends, Ok(false), true), 1, "{ends:?}");
    }
}

const A_WHILE: Duration = Duration::from_millis(700);

/// An address on this machine that answers after a delay, with 404 where there is no body.
async fn address(body: &'static str, delay: Duration) -> (String, KeySets) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let status = if body.is_empty() { "404 Not Found" } else { "200 OK" };
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    tokio::spawn(async move {
        while let Ok((mut visitor, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                let _ = visitor.read(&mut [0; 4096]).await;
                tokio::time::sleep(delay).await;
                let _ = visitor.write_all(answer.as_bytes()).await;
            });
        }
    });
    let outgoing = Outgoing::new(Policy::new(std::slice::from_ref(&origin), true));
    (format!("{origin}/jwks"), KeySets::new(outgoing))
}

async fn slow_address() -> (String, KeySets) {
    address("", A_WHILE).await
}

/// Keys of the first client that are no longer fresh.
fn remember_old(key_sets: &KeySets, uri: &str, keys: ClientJwks) {
    let old = Held { keys, fetched_at: Instant::now(), max_age: Duration::ZERO };
    let known = Known { held: Some(Arc::new(old)), next_fetch: None };
    let entry = Entry { known: ArcSwap::from_pointee(known), ..Entry::default() };
    key_sets.entries.insert((ClientId::from("app 0".to_owned()), uri.to_owned()), Arc::new(entry));
}

/// An assertion without claims, and the keys that verify it.
fn signed() -> (String, ClientJwks) {
    let pair = Ed25519KeyPair::generate().unwrap();
    let input = format!("{}.{}", base64url(br#"{"alg":"Ed25519"}"#), base64url(b"{}"));
    let assertion = format!("{input}.{}", base64url(pair.sign(input.as_bytes()).as_ref()));
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": base64url(pair.public_key().as_ref())});
    (assertion, ClientJwks::usable(&json!({"keys": [jwk]})).unwrap())
}

/// How so many requests of each of these clients end, that came at once, and after what time.
async fn ends_of(
    key_sets: &KeySets,
    uri: &str,
    clients: usize,
    requests: usize,
    assertion: &str,
) -> Vec<(Result<bool, NoKeys>, Duration)> {
    let one = async |client: usize| {
        let (id, started) = (ClientId::from(format!("app {client}")), Instant::now());
        let assertion = UnverifiedAssertion::parse(assertion).unwrap();
        let end = key_sets.verify(&id, uri, &assertion).await;
        (end.map(|claims| claims.is_some()), started.elapsed())
    };
    join_all((0..clients * requests).map(|number| one(number % clients))).await
}

fn count(ends: &[(Result<bool, NoKeys>, Duration)], end: Result<bool, NoKeys>, at_once: bool) -> usize {
    ends.iter().filter(|(got, after)| *got == end && (*after < A_WHILE / 2) == at_once).count()
}

#[tokio::test]
async fn few_wait_for_one_client_and_a_bounded_number_for_all() {
    let (uri, key_sets) = slow_address().await;
    let (assertion, _) = signed();
    let ends = ends_of(&key_sets, &uri, 1, 40, &assertion).await;
    assert_eq!(count(&ends, Err(NoKeys::Unreachable), false), MOST_WAITING_FOR_ONE, "{ends:?}");
    assert_eq!(count(&ends, Err(NoKeys::NotYet), true), 40 - MOST_WAITING_FOR_ONE, "{ends:?}");
    // Nobody waits for an address that has just failed.
    let ends = ends_of(&key_sets, &uri, 1, 40, &assertion).await;
    assert_eq!(count(&ends, Err(NoKeys::Unreachable), true), 40, "{ends:?}");

    let (uri, key_sets) = slow_address().await;
    let ends = ends_of(&key_sets, &uri, 30, 10, &assertion).await;
    assert_eq!(count(&ends, Err(NoKeys::Unreachable), false), MOST_WAITING, "{ends:?}");
    assert_eq!(count(&ends, Err(NoKeys::NotYet), true), 300 - MOST_WAITING, "{ends:?}");
    // The places are free again.
    let ends = ends_of(&key_sets, &format!("{uri}/other"), 30, 1, &assertion).await;
    assert_eq!(count(&ends, Err(NoKeys::Unreachable), false), 30, "{ends:?}");
}

#[tokio::test]
async fn who_finds_no_place_to_wait_is_judged_by_old_keys() {
    let (uri, key_sets) = slow_address().await;
    let (assertion, keys) = signed();
    remember_old(&key_sets, &uri, keys);
    let ends = ends_of(&key_sets, &uri, 1, 40, &assertion).await;
    assert_eq!(count(&ends, Ok(true), false), MOST_WAITING_FOR_ONE, "{ends:?}");
    assert_eq!(count(&ends, Ok(true), true), 40 - MOST_WAITING_FOR_ONE, "{ends:?}");
}

#[tokio::test]
async fn a_request_that_is_given_up_ends_no_fetch_and_keeps_its_place_until_then() {
    let (uri, key_sets) = slow_address().await;
    let (assertion, _) = signed();
    let given_up = tokio::time::timeout(A_WHILE / 4, ends_of(&key_sets, &uri, 1, 40, &assertion)).await;
    assert!(given_up.is_err());
    assert_eq!(key_sets.places.available_permits(), MOST_WAITING - 1);
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(key_sets.places.available_permits(), MOST_WAITING);
    let ends = ends_of(&key_sets, &uri, 1, 1, &assertion).await;
    assert_eq!(count(&ends, Err(NoKeys::Unreachable), true), 1, "{ends:?}");
}
