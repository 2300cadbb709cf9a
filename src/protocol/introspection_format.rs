//! In which form an introspection answer is wanted (RFC 9701 §4, RFC 9110 §12.5.1).

/// The media type of a signed answer (RFC 9701 §5).
pub const SIGNED_MEDIA_TYPE: &str = "application/token-introspection+jwt";

const JSON_MEDIA_TYPE: &str = "application/json";

/// The form of an introspection answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntrospectionFormat {
    /// RFC 7662 §2.2.
    Json,
    /// RFC 9701 §5.
    SignedJwt,
}

impl IntrospectionFormat {
    /// Chooses by the request's `Accept` fields. `prefers_signed`: the client registered an algorithm for signed
    /// answers (RFC 9701 §6), and gets them where the request leaves the choice; without that it has to ask for them
    /// by name. A request that accepts neither is answered as one that says nothing.
    pub fn choose<'a>(accept: impl IntoIterator<Item = &'a str>, prefers_signed: bool) -> Self {
        let ranges: Vec<MediaRange<'_>> =
            accept.into_iter().flat_map(|field| field.split(',')).filter_map(MediaRange::parse).collect();
        let (signed, json) = (Wish::of(SIGNED_MEDIA_TYPE, &ranges), Wish::of(JSON_MEDIA_TYPE, &ranges));
        let is_signed = match signed.weight.cmp(&json.weight) {
            std::cmp::Ordering::Greater => true,
            std::cmp::Ordering::Less => false,
            // Both alike: who names the signed form can read it.
            std::cmp::Ordering::Equal if signed.weight > 0 && signed.is_named => true,
            std::cmp::Ordering::Equal => prefers_signed && !(json.weight > 0 && json.is_named),
        };
        if is_signed { Self::SignedJwt } else { Self::Json }
    }
}

/// One element of `Accept`.
struct MediaRange<'a> {
    range: &'a str,
    /// In thousandths.
    weight: u16,
}

impl<'a> MediaRange<'a> {
    /// `None` if there is none, or its weight is none.
    fn parse(element: &'a str) -> Option<Self> {
        let mut parts = element.split(';').map(str::trim);
        let range = parts.next().filter(|range| !range.is_empty())?;
        let weights = parts.filter_map(|parameter| parameter.split_once('='));
        let mut weights = weights.filter(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
        let weight = weights.next().map_or(Some(1_000), |(_, text)| parse_weight(text.trim()))?;
        Some(Self { range, weight })
    }

    /// How exactly it fits a media type; `None`: not at all.
    fn fit(&self, media_type: &str) -> Option<u8> {
        let class = media_type.split_once('/').map_or("", |(class, _)| class);
        if self.range.eq_ignore_ascii_case(media_type) {
            Some(2)
        } else if self.range.strip_suffix("/*").is_some_and(|own| own.eq_ignore_ascii_case(class)) {
            Some(1)
        } else {
            (self.range == "*/*").then_some(0)
        }
    }
}

/// RFC 9110 §12.4.2: 0 to 1 with at most three digits behind the point, in thousandths.
fn parse_weight(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths: u16 = format!("{fraction:0<3}").parse().ok()?;
    match (whole, thousandths) {
        ("0", thousandths) => Some(thousandths),
        ("1", 0) => Some(1_000),
        _ => None,
    }
}

/// How much a media type is wanted: the most exact range that fits it decides.
struct Wish {
    weight: u16,
    is_named: bool,
}

impl Wish {
    fn of(media_type: &str, ranges: &[MediaRange<'_>]) -> Self {
        let fitting = ranges.iter().filter_map(|range| range.fit(media_type).map(|fit| (fit, range.weight)));
        match fitting.max() {
            Some((fit, weight)) => Self { weight, is_named: fit == 2 },
            None => Self { weight: 0, is_named: false },
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    const SIGNED: &str = SIGNED_MEDIA_TYPE;

    fn is_signed(accept: &[&str], prefers_signed: bool) -> bool {
        IntrospectionFormat::choose(accept.iter().copied(), prefers_signed) == IntrospectionFormat::SignedJwt
    }

    // Accept, and whether the answer is signed for a client that registered nothing, and for one that did.
    #[rstest]
    #[case::nothing_said(&[], false, true)]
    #[case::empty(&[""], false, true)]
    #[case::anything(&["*/*"], false, true)]
    #[case::any_application(&["application/*"], false, true)]
    #[case::json(&["application/json"], false, false)]
    #[case::a_scripts_default(&["application/json, text/plain, */*"], false, false)]
    #[case::a_browsers_default(&["text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8"], false, true)]
    #[case::signed(&[SIGNED], true, true)]
    #[case::signed_in_capitals(&["Application/Token-Introspection+JWT"], true, true)]
    #[case::both(&["application/json, application/token-introspection+jwt"], true, true)]
    #[case::both_in_two_fields(&["application/json", SIGNED], true, true)]
    #[case::json_preferred(&["application/json, application/token-introspection+jwt;q=0.9"], false, false)]
    #[case::signed_preferred(&["application/json;q=0.9, application/token-introspection+jwt"], true, true)]
    #[case::signed_preferred_little(&["application/json;q=0.001, application/token-introspection+jwt;q=0.002"], true, true)]
    #[case::the_exact_range_decides(&["application/token-introspection+jwt;q=0, */*"], false, false)]
    #[case::json_refused(&["application/json;q=0, */*"], true, true)]
    #[case::signed_with_a_rest(&["application/token-introspection+jwt, */*;q=0.1"], true, true)]
    #[case::signed_among_anything(&["*/*, application/token-introspection+jwt"], true, true)]
    #[case::neither(&["text/html"], false, true)]
    #[case::both_refused(&["application/json;q=0, application/token-introspection+jwt;q=0"], false, true)]
    #[case::another_jwt(&["application/jwt"], false, true)]
    #[case::weight_in_capitals(&["application/token-introspection+jwt;Q=0, application/json"], false, false)]
    #[case::other_parameters(&["application/token-introspection+jwt;charset=utf-8;q=0.5, application/json;q=0.4"], true, true)]
    #[case::no_weight(&["application/token-introspection+jwt;q=2, application/json"], false, false)]
    #[case::no_number(&["application/token-introspection+jwt;q=high"], false, true)]
    #[case::too_fine(&["application/token-introspection+jwt;q=0.0001"], false, true)]
    #[case::empty_elements(&[", ,application/token-introspection+jwt,"], true, true)]
    fn the_form_follows_the_wish(
        #[case] accept: &[&str],
        #[case] unregistered: bool,
        #[case] registered: bool,
    ) {
        assert_eq!(is_signed(accept, false), unregistered, "{accept:?}");
        assert_eq!(is_signed(accept, true), registered, "{accept:?}");
    }

    proptest! {
        #[test]
        fn a_registration_only_adds_signed_answers(
            accept in "((application|text|\\*)/(\\*|json|token-introspection\\+jwt)( ?; ?[qQ]=[01](\\.[0-9]{0,4})?)?,? ?){0,4}",
        ) {
            prop_assert!(is_signed(&[&accept], true) || !is_signed(&[&accept], false));
        }

        #[test]
        fn junk_does_no_harm(accept in "\\PC{0,60}") {
            is_signed(&[&accept], false);
        }

        #[test]
        fn nobody_who_asks_for_json_alone_gets_anything_else(weight in 1..=1_000_u16, prefers: bool) {
            let accept = format!("application/json;q={}.{:03}", weight / 1_000, weight % 1_000);
            prop_assert!(!is_signed(&[&accept], prefers));
        }
    }
}
