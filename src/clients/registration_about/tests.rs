use rstest::rstest;

use super::*;

fn about(change: impl FnOnce(&mut AboutClient)) -> Result<AboutClient, Refusal> {
    let mut about = AboutClient::default();
    change(&mut about);
    check_about(&mut about).map(|()| about)
}

fn words<T>(refused: Result<T, Refusal>) -> String {
    match refused {
        Err(Refusal::Metadata(words) | Refusal::RedirectUri(words)) => words,
        Ok(_) => panic!("it is accepted"),
    }
}

#[rstest]
#[case("https://app.example", true)]
#[case("https://app.example:8443/about?lang=de#top", true)]
#[case("http://localhost:3000/about", true)]
#[case("http://app.example/about", false)]
#[case("javascript:alert(1)", false)]
#[case("data:text/html,x", false)]
#[case("//app.example/about", false)]
#[case("/about", false)]
#[case("", false)]
#[case("https://app.example/\u{e4}", false)]
#[case("https://app.example/a b", false)]
#[case("https://app.example\\@evil.example", false)]
#[case("https://user:password@app.example", false)]
fn a_page_is_https(#[case] uri: &str, #[case] fits: bool) {
    for name in ["client_uri", "logo_uri", "policy_uri", "tos_uri"] {
        let checked = about(|about| {
            let member = match name {
                "client_uri" => &mut about.client_uri,
                "logo_uri" => &mut about.logo_uri,
                "policy_uri" => &mut about.policy_uri,
                _ => &mut about.tos_uri,
            };
            *member = Some(uri.to_owned());
        });
        assert_eq!(checked.is_ok(), fits, "{name} {uri:?}");
        if !fits {
            assert!(words(checked).starts_with(&format!("the {name} is refused: ")), "{uri:?}");
        }
    }
    let long = format!("https://app.example/{}", "x".repeat(LONGEST_PAGE_URI));
    assert!(words(about(|about| about.tos_uri = Some(long))).contains("2048"));
}

#[test]
fn texts_are_short_and_visible() {
    let contacts = |contacts: &[&str]| {
        let contacts = contacts.iter().map(|&contact| contact.to_owned()).collect();
        about(|about| about.contacts = contacts)
    };
    assert_eq!(contacts(&["ops@app.example", "ops@app.example"]).unwrap().contacts.len(), 1);
    assert!(words(contacts(&["a\u{202e}b"])).starts_with("the contacts must not contain"));
    let many: Vec<String> = (0..=MAX_CONTACTS).map(|number| number.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert!(words(contacts(&many)).contains("at most 10 contacts"));
    let long = Some("x".repeat(MAX_TEXT_CHARACTERS + 1));
    assert!(words(about(|about| about.software_id = long.clone())).starts_with("the software_id must"));
    assert!(words(about(|about| about.software_version = long)).starts_with("the software_version must"));
}

#[rstest]
// Case 75.
#[case("https://app.example/bye", false, true)]
#[case("com.example.app:/bye", true, true)]
#[case("com.example.app:/bye", false, false)]
#[case("JaVaScRiPt:alert(1)", true, false)]
#[case("https://app.example/bye#x", true, false)]
#[case("http://app.example/bye", true, false)]
#[case("https://*.app.example/bye", true, false)]
#[case("/bye", true, false)]
#[case("", true, false)]
fn where_a_logout_leads_is_checked_like_a_redirect_uri(
    #[case] uri: &str,
    #[case] native: bool,
    #[case] fits: bool,
) {
    let mut logout =
        LogoutMetadata { post_logout_redirect_uris: vec![uri.to_owned()], ..LogoutMetadata::default() };
    let checked = check_logout(&mut logout, native);
    assert_eq!(checked.is_ok(), fits, "{uri:?}");
    if let Err(refusal) = checked {
        assert!(matches!(refusal, Refusal::RedirectUri(_)), "{refusal:?}");
    }
}

#[test]
fn logout_tokens_go_to_an_absolute_address_without_fragment() {
    for (uri, fits) in [
        ("https://app.example/logout?tenant=1", true),
        ("https://app.example/logout#x", false),
        ("http://app.example/logout", false),
        ("app.example/logout", false),
    ] {
        let backchannel_logout_uri = Some(uri.to_owned());
        let mut logout = LogoutMetadata { backchannel_logout_uri, ..LogoutMetadata::default() };
        assert_eq!(check_logout(&mut logout, false).is_ok(), fits, "{uri}");
    }
}

#[test]
fn nobody_is_led_or_sent_into_a_network_by_whoever_registers() {
    // Case 76.
    let policy = Policy::new(&[], false);
    for uri in ["https://127.0.0.1/x", "https://169.254.169.254/x", "https://[::1]/x", "https://10.0.0.1/x"] {
        let uri = || Some(uri.to_owned());
        let named = ClientMetadata::named("App");
        let keys = ClientMetadata { keys: uri().map(ClientKeys::Uri), ..named.clone() };
        let mut logout = named.clone();
        logout.logout.backchannel_logout_uri = uri();
        for (metadata, name) in [(keys, "jwks_uri"), (logout, "backchannel_logout_uri")] {
            for unverified in [false, true] {
                let refused = check_addresses(&metadata, &policy, unverified).unwrap_err();
                assert!(refused.starts_with(&format!("the {name} is refused: ")), "{refused}");
            }
        }
        for member in [
            AboutClient { client_uri: uri(), ..AboutClient::default() },
            AboutClient { logo_uri: uri(), ..AboutClient::default() },
            AboutClient { policy_uri: uri(), ..AboutClient::default() },
            AboutClient { tos_uri: uri(), ..AboutClient::default() },
        ] {
            let metadata = ClientMetadata { about: member, ..named.clone() };
            assert!(check_addresses(&metadata, &policy, true).is_err());
            assert_eq!(check_addresses(&metadata, &policy, false), Ok(()), "an operator knows the network");
        }
    }
    let mut metadata = ClientMetadata::named("App");
    metadata.about.tos_uri = Some("https://app.example/legal#terms".to_owned());
    assert_eq!(check_addresses(&metadata, &policy, true), Ok(()));
}
