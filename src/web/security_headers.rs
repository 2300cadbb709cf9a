//! The headers that every page carries (RFC 9700 §4.2 and §4.16).

/// A header's name and value.
pub type Header = (&'static str, &'static str);

/// Headers of all pages.
///
/// `Referrer-Policy` is `same-origin` and not `no-referrer`: under the latter a browser sends `Origin: null` with
/// our own forms (Fetch, "append a request `Origin` header"), and the check of the origin would be blind. With
/// `same-origin` no other site gets a `Referer` either, also not after a redirect.
const COMMON: [Header; 5] = [
    ("Cache-Control", "no-store"),
    ("Referrer-Policy", "same-origin"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    (
        "Permissions-Policy",
        "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
    ),
];

/// Headers of a page on the way from a client and back to it: sign-in, consent, and the errors of that way.
///
/// Two things are absent on purpose:
/// - `form-action`: browsers hold it against the whole chain of redirects after a POST, and this chain
///   ends at the client.
/// - `Cross-Origin-Opener-Policy`: it parts a popup from the page that opened it for good, so that a client that
///   signs people in with a popup would wait for ever.
pub const CLIENT_FLOW: [Header; 6] = with_policy((
    "Content-Security-Policy",
    "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'",
));

/// The policy of such a page that shows an app's picture from this origin.
pub fn policy_with_picture_from(origin: &str) -> String {
    let [(_, policy), ..] = CLIENT_FLOW;
    policy.replace("img-src 'self' data:", &format!("img-src 'self' data: {origin}"))
}

/// Headers of the page that posts an answer to the client (Form Post Response Mode §2).
///
/// - The one script that it may run is the one that sends its form, named by its hash.
/// - `form-action` is absent: browsers hold it against every redirect with which the client answers.
/// - `Referrer-Policy` lets the client see which origin the form comes from, and no more. Under `same-origin` it would
///   be told `Origin: null`, and could not tell us from anybody else.
pub const FORM_POST: [Header; 6] = {
    let [_, a, _, b, c, d] = CLIENT_FLOW;
    let policy = (
        "Content-Security-Policy",
        "default-src 'none'; script-src 'sha256-ePniVEkSivX/c7XWBGafqh8tSpiRrKiqYeqbG7N1TOE='; style-src 'self'; img-src 'self' data:; base-uri 'none'; \
         frame-ancestors 'none'",
    );
    [policy, a, ("Referrer-Policy", "strict-origin"), b, c, d]
};

/// Headers of a page that stays with us: start, password, sign-out.
pub const OWN_PAGE: [Header; 7] = {
    let [policy, a, b, c, d, e] = with_policy((
        "Content-Security-Policy",
        "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; \
         form-action 'self'",
    ));
    [policy, a, b, c, d, e, ("Cross-Origin-Opener-Policy", "same-origin")]
};

const fn with_policy(policy: Header) -> [Header; 6] {
    let [a, b, c, d, e] = COMMON;
    [policy, a, b, c, d, e]
}

#[cfg(test)]
mod tests {
    use base64::Engine;

    use super::*;
    use crate::secret::sha256;
    use crate::web::pages::SUBMIT_SCRIPT;

    fn value(headers: &[Header], name: &str) -> Option<&'static str> {
        headers.iter().find(|(key, _)| *key == name).map(|(_, value)| *value)
    }

    #[test]
    fn no_page_can_be_framed_cached_or_run_scripts() {
        for headers in [CLIENT_FLOW.as_slice(), &OWN_PAGE] {
            let policy = value(headers, "Content-Security-Policy").unwrap();
            assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
            assert!(!policy.contains("unsafe") && !policy.contains("script-src"));
            assert_eq!(value(headers, "X-Frame-Options"), Some("DENY"));
            assert_eq!(value(headers, "Cache-Control"), Some("no-store"));
            assert_eq!(value(headers, "Referrer-Policy"), Some("same-origin"));
        }
    }

    #[test]
    fn the_form_for_the_client_runs_its_own_script_and_no_other() {
        let policy = value(&FORM_POST, "Content-Security-Policy").unwrap();
        let hash = base64::engine::general_purpose::STANDARD.encode(sha256(SUBMIT_SCRIPT.as_bytes()));
        let without_script = policy.replace(&format!("script-src 'sha256-{hash}'; "), "");
        assert_eq!(Some(without_script.as_str()), value(&CLIENT_FLOW, "Content-Security-Policy"));
        for (name, of_all_pages) in CLIENT_FLOW {
            let differs = ["Content-Security-Policy", "Referrer-Policy"].contains(&name);
            assert!(differs || value(&FORM_POST, name) == Some(of_all_pages), "{name}");
        }
        assert_eq!(value(&FORM_POST, "Referrer-Policy"), Some("strict-origin"));
    }

    #[test]
    fn a_picture_of_an_app_opens_the_policy_for_its_origin_and_nothing_else() {
        assert_eq!(
            policy_with_picture_from("https://app.example"),
            "default-src 'none'; style-src 'self'; img-src 'self' data: https://app.example; base-uri 'none'; \
             frame-ancestors 'none'"
        );
    }

    #[test]
    fn only_the_way_of_a_client_is_open_at_its_end() {
        assert!(!value(&CLIENT_FLOW, "Content-Security-Policy").unwrap().contains("form-action"));
        assert_eq!(value(&CLIENT_FLOW, "Cross-Origin-Opener-Policy"), None);
        assert!(value(&OWN_PAGE, "Content-Security-Policy").unwrap().contains("form-action 'self'"));
        assert_eq!(value(&OWN_PAGE, "Cross-Origin-Opener-Policy"), Some("same-origin"));
    }
}
