use rstest::rstest;

use super::*;
use crate::clients::registration_checks;
use crate::model::{ClientAuthentication, ClientId, Scope};
use crate::outgoing::{OutgoingError, Policy};
use crate::time::Timestamp;

const URI: &str = "https://sector.example/uris.json";
const ONE: &str = "https://one.example/cb";
const TWO: &str = "https://two.example/cb";

/// A client with these redirect URIs, whose sector is at this address.
fn client(uri: Option<&str>, redirect_uris: &[&str]) -> Client {
    let mut metadata = ClientMetadata::named("Demo");
    metadata.redirect_uris = redirect_uris.iter().map(|&uri| uri.to_owned()).collect();
    metadata.openid.pairwise = Some(Sector::requested(uri.map(str::to_owned)));
    let openid = ["openid", "profile", "email", "offline_access"].map(|name| Scope {
        name: name.to_owned(),
        description: "Words".to_owned(),
        restricted: false,
        built_in: true,
    });
    let (id, now) = (ClientId::random(), Timestamp::from_unix_seconds(0));
    registration_checks::check(metadata, &openid, id, ClientAuthentication::Public, now).unwrap()
}

fn document(uri: &str, redirect_uris: &[&str]) -> SectorDocument {
    let redirect_uris = redirect_uris.iter().map(|&uri| uri.to_owned()).collect();
    SectorDocument { uri: uri.to_owned(), redirect_uris }
}

fn identifier(checked: Result<Option<Sector>, Refusal>) -> Result<String, String> {
    match checked {
        Ok(sector) => Ok(sector.expect("pairwise").identifier),
        Err(Refusal::Metadata(reason) | Refusal::RedirectUri(reason)) => Err(reason),
    }
}

#[test]
fn who_does_not_ask_has_no_sector() {
    let mut public = client(None, &[ONE]);
    public.openid.pairwise = None;
    assert_eq!(check(&public, None, None), Ok(None));
}

#[rstest]
#[case(&[ONE], Some("one.example"))]
#[case(&[ONE, "https://one.example/other?a=b", "https://one.example:8443/cb"], Some("one.example"))]
#[case(&["http://127.0.0.1/cb", "http://127.0.0.1:8080/cb"], Some("127.0.0.1"))]
#[case(&["http://[::1]/cb"], Some("[::1]"))]
#[case::two_hosts(&[ONE, TWO], None)]
#[case::a_host_below(&[ONE, "https://app.one.example/cb"], None)]
#[case::two_names_of_this_machine(&["http://127.0.0.1/cb", "http://localhost/cb"], None)]
#[case::no_host(&["com.example.app:/cb"], None)]
#[case::no_host_in_second_place(&["http://localhost/cb", "com.example.app:/cb"], None)]
fn without_an_address_the_sector_is_the_host_of_all_redirect_uris(
    #[case] redirect_uris: &[&str],
    #[case] expected: Option<&str>,
) {
    let found = identifier(check(&client(None, redirect_uris), None, None));
    match expected {
        Some(host) => assert_eq!(found.as_deref(), Ok(host)),
        None => assert!(found.unwrap_err().contains("sector_identifier_uri")),
    }
}

#[rstest]
#[case::all_listed(&[ONE, TWO], Some(document(URI, &[TWO, "https://three.example/cb", ONE])), true)]
#[case::one_missing(&[ONE, TWO], Some(document(URI, &[ONE])), false)]
#[case::none_listed(&[ONE], Some(document(URI, &[])), false)]
#[case::nearly(&[ONE], Some(document(URI, &["https://one.example/cb/", "https://ONE.example/cb"])), false)]
#[case::not_read(&[ONE], None, false)]
#[case::another_document(&[ONE], Some(document("https://sector.example/other.json", &[ONE])), false)]
fn with_an_address_its_document_lists_the_redirect_uris(
    #[case] redirect_uris: &[&str],
    #[case] document: Option<SectorDocument>,
    #[case] listed: bool,
) {
    let found = identifier(check(&client(Some(URI), redirect_uris), None, document.as_ref()));
    match listed {
        true => assert_eq!(found.as_deref(), Ok("sector.example")),
        false => assert!(found.unwrap_err().contains("does not stand in the document")),
    }
}

/// The address and the redirect URIs that were registered, those that come now, and which of these have to be looked
/// for.
#[rstest]
#[case::as_it_was(Some(URI), &[ONE, TWO], &[TWO, ONE], &[])]
#[case::less(Some(URI), &[ONE, TWO], &[TWO], &[])]
#[case::one_more(Some(URI), &[ONE], &[ONE, TWO], &[TWO])]
#[case::another_address(Some("https://sector.example/2"), &[ONE], &[ONE], &[ONE])]
#[case::an_address_at_last(None, &[ONE], &[ONE], &[ONE])]
fn a_redirect_uri_is_looked_for_once(
    #[case] registered_at: Option<&str>,
    #[case] registered: &[&str],
    #[case] redirect_uris: &[&str],
    #[case] new: &[&str],
) {
    let (before, after) = (client(registered_at, registered), client(Some(URI), redirect_uris));
    let found: Vec<_> = new_redirect_uris(URI, &after.redirect_uris, Some(&before)).collect();
    assert_eq!(found, new);
    assert_eq!(check(&after, Some(&before), None).is_ok(), new.is_empty());
    assert!(check(&after, Some(&before), Some(&document(URI, &[ONE, TWO]))).is_ok());
}

#[test]
fn a_change_of_the_sector_is_a_change_of_all_subjects() {
    let sector = |identifier: &str, uri: Option<&str>| {
        let mut client = client(None, &[ONE]);
        client.openid.pairwise =
            Some(Sector { identifier: identifier.to_owned(), uri: uri.map(str::to_owned) });
        client
    };
    let mut public = client(None, &[ONE]);
    public.openid.pairwise = None;
    let stay = |before: &Client, after: &Client| check_subjects_stay(before, after).is_ok();
    assert!(stay(&public, &public));
    assert!(stay(&sector("a", None), &sector("a", Some("https://a/list"))));
    assert!(!stay(&sector("a", None), &sector("b", None)));
    assert!(!stay(&public, &sector("a", None)) && !stay(&sector("a", None), &public));
}

/// Case 76.
#[rstest]
#[case("https://127.0.0.1/uris.json")]
#[case("https://169.254.169.254/latest/meta-data")]
#[case("https://[::1]/uris.json")]
#[case("https://10.0.0.1/uris.json")]
#[case("https://2130706433/uris.json")]
#[case("http://sector.example/uris.json")]
#[case("file:///etc/passwd")]
#[case("javascript:alert(1)")]
#[case("https://user@sector.example/uris.json")]
#[case("https://sector.example/uris.json#x")]
#[case("//sector.example/uris.json")]
#[case("sector.example")]
#[tokio::test]
async fn an_address_inside_is_refused(#[case] uri: &str) {
    let mut metadata = ClientMetadata::named("Demo");
    metadata.redirect_uris = vec![ONE.to_owned()];
    metadata.openid.pairwise = Some(Sector::requested(Some(uri.to_owned())));
    let refused = read(&Outgoing::new(Policy::default()), &metadata, None).await.unwrap_err();
    let RegistrationError::Metadata(reason) = refused else { panic!("{refused}") };
    assert!(reason.starts_with("the sector_identifier_uri is refused"), "{reason}");
}

/// Case 76. That it leads inside is for operators: nobody shall try out which names there are.
#[tokio::test]
async fn a_name_that_leads_inside_is_answered_as_one_that_leads_nowhere() {
    let mut metadata = ClientMetadata::named("Demo");
    metadata.redirect_uris = vec![ONE.to_owned()];
    metadata.openid.pairwise = Some(Sector::requested(Some("https://localhost/uris.json".to_owned())));
    let refused = read(&Outgoing::new(Policy::default()), &metadata, None).await.unwrap_err();
    let RegistrationError::SectorDocument(reason) = &refused else { panic!("{refused}") };
    assert!(matches!(reason, OutgoingError::Refused(_)), "{reason}");
    assert!(!refused.to_string().contains("public"), "{refused}");
}
