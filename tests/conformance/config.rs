//! `oidcc-config-certification-test-plan`.

use url::Url;

use super::{ResponseMode, Suite, checks};

#[tokio::test]
async fn oidcc_discovery_endpoint_verification() {
    let suite = Suite::start(ResponseMode::Query).await;
    every_endpoint_is_https(&suite);
    // OpenID Connect Discovery §3, §4.3.
    assert_eq!(suite.endpoint("issuer"), suite.issuer());
    for required in ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"] {
        assert!(suite.endpoint(required).starts_with("https://"), "{required}");
    }
    for (field, value) in [
        ("response_types_supported", "code"),
        ("subject_types_supported", "public"),
        ("id_token_signing_alg_values_supported", "RS256"),
        ("userinfo_signing_alg_values_supported", "RS256"),
        ("grant_types_supported", "authorization_code"),
        ("scopes_supported", "openid"),
        ("claims_supported", "sub"),
        ("token_endpoint_auth_methods_supported", "client_secret_basic"),
        ("token_endpoint_auth_methods_supported", "client_secret_post"),
    ] {
        assert!(suite.supported(field).contains(&value), "{field} of {}", suite.metadata);
    }
    let subject_types = suite.supported("subject_types_supported");
    assert!(subject_types.iter().all(|kind| ["public", "pairwise"].contains(kind)), "{subject_types:?}");
    // Request objects are not taken; the second would mean true if it were left out.
    assert_eq!(suite.metadata["request_parameter_supported"], false);
    assert_eq!(suite.metadata["request_uri_parameter_supported"], false);
    assert_eq!(suite.metadata["claims_parameter_supported"], true);
    // What can be asked for by scope can be asked for by name.
    let claims = suite.supported("claims_supported");
    let scopes = suite.supported("scopes_supported");
    for (scope, names) in checks::OF_SCOPES {
        assert!(scopes.contains(&scope), "{scopes:?}");
        assert!(names.iter().all(|name| claims.contains(name)), "{scope}: {claims:?}");
    }
    suite.keys().await;
    // RFC 8414 §3 says the same.
    let oauth = suite.http().get("/.well-known/oauth-authorization-server").await.json();
    assert_eq!(oauth, suite.metadata);
}

/// Asserts that all addresses are https and the issuer's own.
pub fn every_endpoint_is_https(suite: &Suite) {
    let fields = suite.metadata.as_object().unwrap();
    let endpoints = fields.iter().filter(|(name, _)| name.ends_with("_endpoint"));
    let mut number = 0;
    for (name, value) in endpoints {
        let url = Url::parse(value.as_str().unwrap()).unwrap();
        assert_eq!(url.scheme(), "https", "{name}");
        assert_eq!(url.origin().ascii_serialization(), suite.issuer(), "{name}");
        number += 1;
    }
    assert!(number >= 5, "{fields:?}");
}
