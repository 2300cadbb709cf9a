use serde_json::json;

use super::*;

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
    for body in ["", "<html>", "{}", "[]", r#"{"keys":[]}"#, r#"{"keys":[{"kty":"oct","k":"AA"}]}"#] {
        let fetched = Fetched { body: body.as_bytes().to_vec(), max_age: None };
        assert!(read(fetched).is_err(), "{body}");
    }
}
