//! `docs/conformance.md` says the truth: every module of the plans stands there, and its test exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::rfc_map::{exists, quoted};

const PAGE: &str = include_str!("../../docs/conformance.md");
const CONFIGURATION: &str = include_str!("../../examples/conformance/grantor.json");

/// A heading, and the modules of its plan without `oidcc-`.
const PLANS: [(&str, &[&str]); 5] = [
    (
        "Basic and form post",
        &[
            "server",
            "response-type-missing",
            "idtoken-signature",
            "idtoken-unsigned",
            "userinfo-get",
            "userinfo-post-header",
            "userinfo-post-body",
            "ensure-request-without-nonce-succeeds-for-code-flow",
            "scope-profile",
            "scope-email",
            "scope-address",
            "scope-phone",
            "scope-all",
            "alternate-happy-flow",
            "display-page",
            "display-popup",
            "prompt-login",
            "prompt-none-not-logged-in",
            "prompt-none-logged-in",
            "max-age-1",
            "max-age-10000",
            "ensure-request-with-unknown-parameter-succeeds",
            "id-token-hint",
            "login-hint",
            "ui-locales",
            "claims-locales",
            "ensure-request-with-acr-values-succeeds",
            "codereuse",
            "codereuse-30seconds",
            "ensure-registered-redirect-uri",
            "ensure-post-request-succeeds",
            "server-client-secret-post",
            "request-uri-unsigned-supported-correctly-or-rejected-as-unsupported",
            "unsigned-request-object-supported-correctly-or-rejected-as-unsupported",
            "claims-essential",
            "ensure-request-object-with-redirect-uri",
            "refresh-token",
            "ensure-request-with-valid-pkce-succeeds",
        ],
    ),
    ("Config", &["discovery-endpoint-verification"]),
    (
        "Dynamic",
        &[
            "idtoken-rs256",
            "idtoken-unsigned",
            "userinfo-rs256",
            "ensure-redirect-uri-in-authorization-request",
            "redirect-uri-query-OK",
            "redirect-uri-query-mismatch",
            "redirect-uri-query-added",
            "redirect-uri-regfrag",
            "discovery-endpoint-verification",
            "server",
            "registration-logo-uri",
            "registration-policy-uri",
            "registration-tos-uri",
            "registration-jwks-uri",
            "registration-sector-uri",
            "registration-sector-bad",
            "server-rotate-keys",
            "refresh-token-rp-key-rotation",
            "request-uri-unsigned",
            "request-uri-signed-rs256",
            "ensure-request-object-with-redirect-uri",
            "refresh-token",
            "ensure-client-assertion-with-iss-aud-succeeds",
        ],
    ),
    (
        "RP-initiated logout",
        &[
            "rp-initiated-logout-discovery-endpoint-verification",
            "rp-initiated-logout",
            "rp-initiated-logout-bad-post-logout-redirect-uri",
            "rp-initiated-logout-modified-id-token-hint",
            "rp-initiated-logout-no-id-token-hint",
            "rp-initiated-logout-no-params",
            "rp-initiated-logout-no-post-logout-redirect-uri",
            "rp-initiated-logout-no-state",
            "rp-initiated-logout-only-state",
            "rp-initiated-logout-query-added-to-post-logout-redirect-uri",
            "rp-initiated-logout-bad-id-token-hint",
        ],
    ),
    (
        "Back-channel logout",
        &["backchannel-logout-discovery-endpoint-verification", "backchannel-rp-initiated-logout"],
    ),
];

/// The rows below a heading: module, test, result.
fn rows(heading: &str) -> Vec<[&'static str; 3]> {
    let section = PAGE.split(&format!("\n## {heading}\n")).nth(1).unwrap_or_else(|| panic!("no {heading}"));
    let section = section.split("\n## ").next().unwrap();
    let lines = section.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let rows = lines.filter_map(|line| line.split(" | ").collect::<Vec<_>>().try_into().ok());
    rows.filter(|[module, ..]: &[&str; 3]| module.starts_with("oidcc-")).collect()
}

#[test]
fn every_module_stands_there_with_a_test_of_its_name_and_a_result() {
    for (heading, modules) in PLANS {
        let rows = rows(heading);
        let named: Vec<&str> = rows.iter().filter_map(|[module, ..]| module.strip_prefix("oidcc-")).collect();
        assert_eq!(named, modules, "{heading}");
        for [module, test, result] in rows {
            let [test] = quoted(test)[..] else { panic!("{module}: {test}") };
            let name = module.to_lowercase().replace('-', "_");
            assert_eq!(test.rsplit("::").next(), Some(name.as_str()), "{heading}");
            assert!(exists(test), "{test}");
            let is_told =
                ["passes", "skipped", "review", "fails"].iter().any(|word| result.starts_with(word));
            assert!(is_told, "{module}: {result}");
        }
    }
}

#[test]
fn the_plans_are_as_long_as_the_page_says() {
    for (heading, modules) in PLANS {
        let anchor = format!("(#{})", heading.to_lowercase().replace(' ', "-"));
        let mut lines = PAGE.lines().filter(|line| line.starts_with("| [oidcc-") && line.contains(&anchor));
        let number = format!("| {} |", modules.len());
        assert!(lines.clone().next().is_some() && lines.all(|line| line.contains(&number)), "{heading}");
    }
}

/// Every test that is named like a module stands on the page.
#[test]
fn no_module_is_tested_in_secret() {
    let mut named = BTreeSet::new();
    for (heading, _) in PLANS {
        named.extend(rows(heading).into_iter().flat_map(|[_, test, _]| quoted(test)));
    }
    let mut defined = BTreeSet::new();
    let directory = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance"));
    tests_below(directory, "tests::conformance", &mut defined);
    let named: BTreeSet<String> = named.into_iter().map(str::to_owned).collect();
    assert_eq!(defined, named);
}

/// The tests below a directory whose names begin as modules do.
fn tests_below(directory: &Path, module: &str, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            tests_below(&path, &format!("{module}::{name}"), found);
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let functions = text.lines().filter_map(|line| line.strip_prefix("async fn ")?.split('(').next());
        let of_modules = functions.filter(|function| function.starts_with("oidcc_"));
        found.extend(of_modules.map(|function| format!("{module}::{name}::{function}")));
    }
}

#[test]
fn what_is_configured_for_a_module_is_configured_for_one_that_exists() {
    let configuration: serde_json::Value = serde_json::from_str(CONFIGURATION).unwrap();
    let all: BTreeSet<&str> = PLANS.iter().flat_map(|(_, modules)| modules.iter().copied()).collect();
    for module in configuration["override"].as_object().unwrap().keys() {
        assert!(all.contains(module.strip_prefix("oidcc-").unwrap()), "{module}");
    }
}
