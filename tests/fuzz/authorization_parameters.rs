//! Authorization requests, in both of their steps.

use grantor::protocol::authorization_request::LONGEST_REQUEST;
use grantor::protocol::{AuthorizationRequest, ClientAndRedirect, Parameters, Prompt, ResponseMode};

use super::{Pieces, assemble, lenient, only};

const WORDS: [&str; 48] = [
    "&claims={}",
    "&claims={\"userinfo\":{\"name\":null}}",
    "&",
    "&",
    "=",
    "%20",
    "%00",
    "+",
    "\u{e4}",
    "&response_type=code",
    "&response_type=",
    "token",
    "&client_id=app",
    "&client_id=",
    "&redirect_uri=https%3A%2F%2Fapp.example%2Fcb",
    "&redirect_uri=",
    "&scope=openid+read",
    "&scope=",
    "openid",
    "&state=st4te",
    "&state=",
    "&nonce=n",
    "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    "&code_challenge=",
    "&code_challenge_method=S256",
    "&code_challenge_method=plain",
    "&resource=https://api.example",
    "&resource=",
    "&prompt=login",
    "&prompt=",
    "none",
    "consent",
    "&max_age=60",
    "&max_age=",
    "&request=",
    "&request_uri=x",
    "&login_hint=alice",
    "&response_mode=query",
    "&response_mode=form_post",
    "&response_mode=",
    "form_post",
    "&prompt=select_account",
    "&id_token_hint=e30.e30.e30",
    "&display=popup",
    "&ui_locales=en",
    "&claims_locales=en",
    "&acr_values=1",
    "&redirect_uri=com.example.app%3A%2Fcb",
];
const BEGINNING: &str = "client_id=app&response_type=code";

fn read(form: &[u8]) -> Option<AuthorizationRequest> {
    let parameters = Parameters::parse(form).ok()?;
    let asked = ClientAndRedirect::parse(&parameters).ok()?;
    let redirect_uri = asked.redirect_uri.clone().unwrap_or_else(|| "https://only.example/cb".to_owned());
    AuthorizationRequest::parse(&parameters, asked, redirect_uri).ok()
}

#[test]
fn what_is_accepted_is_exactly_what_was_sent() {
    bolero::check!().with_type::<(bool, Pieces)>().for_each(|(begun, pieces)| {
        let beginning = if *begun { BEGINNING } else { "" };
        let form = [beginning.as_bytes(), &assemble(pieces, &WORDS)].concat();
        let Some(request) = read(&form) else { return };
        let pairs = lenient(&form);
        for (name, value) in &pairs {
            assert!(!value.chars().any(char::is_control));
            assert!(name == "resource" || only(&pairs, name).is_none_or(|only| only == value));
        }
        assert!(pairs.iter().map(|(_, value)| value.len()).sum::<usize>() <= LONGEST_REQUEST);
        assert_eq!(only(&pairs, "response_type"), Some("code"));
        for refused in ["request", "request_uri", "registration"] {
            assert_eq!(only(&pairs, refused), None);
        }
        assert_eq!(only(&pairs, "client_id"), Some(request.client_id.as_str()));
        assert_eq!(only(&pairs, "redirect_uri").is_some(), request.redirect_uri_given);
        assert_eq!(only(&pairs, "state"), request.state.as_deref());
        assert_eq!(only(&pairs, "nonce"), request.nonce.as_deref());
        assert_eq!(only(&pairs, "login_hint"), request.login_hint.as_deref());
        let mode = only(&pairs, "response_mode");
        assert_eq!(mode.unwrap_or("query"), request.response_mode.as_str());
        // The answers to a request that is good go as it says.
        let parameters = Parameters::parse(&form).unwrap();
        assert_eq!(ResponseMode::of_answers(&parameters, &request.redirect_uri), request.response_mode);
        // A form can be posted to web servers only.
        assert!(mode != Some("form_post") || request.redirect_uri.starts_with("http"));
        let prompts: Vec<&str> =
            only(&pairs, "prompt").into_iter().flat_map(|text| text.split_whitespace()).collect();
        for prompt in Prompt::ALL {
            assert_eq!(prompts.contains(&prompt.as_str()), request.prompt.contains(prompt));
        }
        assert!(!request.prompt.contains(Prompt::None) || prompts.iter().all(|prompt| *prompt == "none"));
        let max_age = only(&pairs, "max_age").map(|text| text.parse().unwrap());
        assert_eq!(max_age, request.max_age);
        // RFC 7636 §4.3, and RFC 9700 §2.1.1: a challenge counts by S256 alone.
        let challenge = request.code_challenge.as_ref().map(|challenge| challenge.as_str().to_owned());
        assert_eq!(only(&pairs, "code_challenge"), challenge.as_deref());
        assert!(
            challenge
                .is_none_or(|text| text.len() == 43 && only(&pairs, "code_challenge_method") == Some("S256"))
        );
        let sent =
            |resource: &String| pairs.iter().any(|(name, value)| name == "resource" && value == resource);
        assert!(request.resources.as_slice().iter().all(sent));
    });
}

#[test]
fn the_way_of_an_answer_is_known_whatever_else_is_wrong() {
    bolero::check!().with_type::<Pieces>().for_each(|pieces| {
        let form = [BEGINNING.as_bytes(), &assemble(pieces, &WORDS)].concat();
        let Ok(parameters) = Parameters::parse(&form) else { return };
        let pairs = lenient(&form);
        let named = pairs.iter().filter(|(name, _)| name == "response_mode");
        let wanted: Vec<&str> = named.map(|(_, value)| value.as_str()).collect();
        for uri in ["https://app.example/cb", "http://localhost/cb", "com.example.app:/cb"] {
            let mode = ResponseMode::of_answers(&parameters, uri);
            let by_form = wanted == ["form_post"] && uri.starts_with("http");
            assert_eq!(mode == ResponseMode::FormPost, by_form, "{wanted:?} {uri}");
        }
    });
}

#[test]
fn written_and_read_again_it_is_the_same() {
    bolero::check!().with_type::<Pieces>().for_each(|pieces| {
        let form = [BEGINNING.as_bytes(), &assemble(pieces, &WORDS)].concat();
        let Some(request) = read(&form) else { return };
        let written = serde_json::to_vec(&request).unwrap();
        assert!(serde_json::from_slice::<AuthorizationRequest>(&written).unwrap() == request);
    });
}
