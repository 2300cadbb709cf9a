use clap::Parser;

use super::*;
use crate::time::Timestamp;

#[derive(Debug, Parser)]
struct Line {
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

const AHEAD: Duration = Duration::from_secs(604);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds)
}

fn key(kid: &str, state: SigningKeyState, created_at: i64) -> KeyReport {
    KeyReport {
        kid: kid.to_owned(),
        alg: Algorithm::Rs256,
        state,
        created_at: at(created_at),
        activates_at: at(created_at),
        published_until: (state == SigningKeyState::Retiring).then_some(at(9_999)),
    }
}

/// At 1000 the key `new`, made then, has taken over from `old`.
fn rotated() -> KeyOutcome {
    KeyOutcome {
        key: key("new", SigningKeyState::Active, 1_000),
        active: Some(key("new", SigningKeyState::Active, 1_000)),
        signed_before: Some(key("old", SigningKeyState::Retiring, 0)),
        at: at(1_000),
        changed: true,
    }
}

/// And `old` is withdrawn.
fn retired() -> KeyOutcome {
    let old = key("old", SigningKeyState::Retired, 0);
    KeyOutcome { key: old.clone(), signed_before: Some(old), ..rotated() }
}

fn said(outcome: &KeyOutcome) -> Option<serde_json::Value> {
    let consequences = Consequences::of(outcome, AHEAD, &[]);
    consequences.map(|consequences| serde_json::to_value(consequences).unwrap())
}

#[test]
fn a_kid_may_begin_with_a_hyphen() {
    for line in ["key retire -sXh8 --json", "key retire --json -sXh8", "key --json retire -sXh8"] {
        let line = Line::try_parse_from(line.split(' ')).unwrap();
        assert!(line.json && matches!(line.command, Command::Retire { kid } if kid == "-sXh8"));
    }
}

#[test]
fn the_json_names_the_key_its_state_and_who_signs() {
    let json = serde_json::to_value(OutcomeView::new(&retired(), None)).unwrap();
    assert_eq!(
        (&json["kid"], &json["state"], &json["active_kid"]),
        (&"old".into(), &"retired".into(), &"new".into())
    );
}

#[test]
fn a_key_that_signs_before_every_copy_has_it_is_told_with_the_end_of_that() {
    let json = said(&rotated()).unwrap();
    assert_eq!(json["new_tokens_may_be_refused_for"], 604);
    assert_eq!(json["new_tokens_may_be_refused_until"], at(1_604).to_string());
    assert!(json["tokens_end_of"].is_null());
    let text = json["text"].as_str().unwrap();
    for part in ["key new", "10 min 4 s", &at(1_604).to_string(), "key old go on", &at(9_999).to_string()] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn a_withdrawn_key_is_told_with_what_ends_and_what_does_not_yet() {
    let json = said(&retired()).unwrap();
    assert_eq!(
        (&json["tokens_end_of"], &json["new_tokens_may_be_refused_for"]),
        (&"old".into(), &604.into())
    );
    assert_eq!(json["ended_tokens_may_be_accepted_until"], at(1_604).to_string());
    assert!(json["text"].as_str().unwrap().contains("refuse every token that the key old signed"));
    // One that did not sign: nothing new has to reach the verifiers.
    let mut outcome = retired();
    outcome.signed_before = outcome.active.clone();
    let json = said(&outcome).unwrap();
    assert!(json["new_tokens_may_be_refused_until"].is_null() && json["tokens_end_of"] == "old");
}

#[test]
fn what_breaks_nothing_is_not_warned_of() {
    let mut known_everywhere = rotated();
    known_everywhere.at = at(1_604);
    assert_eq!(said(&known_everywhere), None);
    assert_eq!(said(&KeyOutcome { changed: false, ..rotated() }), None);
    let mut ahead = rotated();
    ahead.signed_before = ahead.active.clone();
    ahead.key = key("next", SigningKeyState::Next, 1_000);
    assert_eq!(said(&ahead), None);
}
