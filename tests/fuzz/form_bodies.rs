//! Forms, up to the token request in them.

use grantor::protocol::{Parameters, TokenQuery, TokenRequest};

use super::{Pieces, assemble, lenient, only};

const WORDS: [&str; 32] = [
    "&",
    "&",
    "&",
    "=",
    "=",
    "%",
    "%00",
    "%0d%0a",
    "%C3%A4",
    "%ED%A0%80",
    "%3D",
    "%26",
    "+",
    "\u{e4}",
    "\u{85}",
    "grant_type=",
    "authorization_code",
    "refresh_token",
    "client_credentials",
    "code=",
    "refresh_token=",
    "redirect_uri=",
    "https://app.example/cb",
    "code_verifier=",
    "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv",
    "scope=",
    "openid",
    "resource=",
    "urn:a",
    "token=",
    "client_id=",
    "%67rant_type",
];

#[test]
fn what_is_read_is_what_was_sent_without_control_characters() {
    bolero::check!().with_type::<Pieces>().for_each(|pieces| {
        let form = assemble(pieces, &WORDS);
        let Ok(parameters) = Parameters::parse(&form) else { return };
        let pairs = lenient(&form);
        for (name, value) in &pairs {
            assert!(!name.chars().chain(value.chars()).any(char::is_control), "{name:?}={value:?}");
            let values: Vec<&str> = pairs
                .iter()
                .filter(|(other, value)| other == name && !value.is_empty())
                .map(|(_, v)| &**v)
                .collect();
            assert_eq!(parameters.all(name).collect::<Vec<_>>(), values);
        }
        // Written and read again it is the same.
        assert_eq!(Parameters::parse(parameters.to_query().as_bytes()), Ok(parameters));
    });
}

#[test]
fn a_token_request_holds_what_its_form_says_once() {
    bolero::check!().with_type::<Pieces>().for_each(|pieces| {
        let form = assemble(pieces, &WORDS);
        let Ok(parameters) = Parameters::parse(&form) else { return };
        let pairs = lenient(&form);
        let Ok(request) = TokenRequest::parse(&parameters) else { return };
        for (name, _) in pairs.iter().filter(|(name, _)| name != "resource") {
            only(&pairs, name);
        }
        assert_eq!(only(&pairs, "grant_type"), Some(request.grant_type()));
        let (scope, resources) = match &request {
            TokenRequest::AuthorizationCode(request) => {
                assert_eq!(only(&pairs, "code"), Some(request.code.expose().as_str()));
                assert_eq!(only(&pairs, "redirect_uri"), request.redirect_uri.as_deref());
                assert_eq!(only(&pairs, "code_verifier").is_some(), request.code_verifier.is_some());
                (None, &request.resources)
            }
            TokenRequest::RefreshToken(request) => {
                assert_eq!(only(&pairs, "refresh_token"), Some(request.refresh_token.expose().as_str()));
                (request.scope.as_ref(), &request.resources)
            }
            TokenRequest::ClientCredentials(request) => (request.scope.as_ref(), &request.resources),
        };
        let asked = only(&pairs, "scope").unwrap_or_default();
        assert!(scope.is_none_or(|scope| scope.iter().all(|one| asked.split(' ').any(|word| word == one))));
        let sent =
            |resource: &String| pairs.iter().any(|(name, value)| name == "resource" && value == resource);
        assert!(resources.as_slice().iter().all(sent));
    });
}

#[test]
fn a_token_query_asks_about_the_token_that_was_sent() {
    bolero::check!().with_type::<Pieces>().for_each(|pieces| {
        let form = [b"token=", assemble(pieces, &WORDS).as_slice()].concat();
        let Ok(parameters) = Parameters::parse(&form) else { return };
        let Ok(query) = TokenQuery::parse(&parameters) else { return };
        assert_eq!(only(&lenient(&form), "token").unwrap_or_default(), query.token.expose());
    });
}
