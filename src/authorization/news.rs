//! What of a request is new to the person who is asked.

/// Divides what the person may grant into what is new, and what they agreed to before and are asked for again beside
/// it. If nothing is new, all of it counts as new: the question is then about everything, as the first time.
pub fn divide_by_news<'a>(
    grantable: &'a [String],
    consented: Option<&[String]>,
) -> (Vec<&'a String>, Vec<&'a String>) {
    let is_known = |scope: &&String| consented.is_some_and(|consented| consented.contains(scope));
    let (known, new): (Vec<_>, Vec<_>) = grantable.iter().partition(is_known);
    if new.is_empty() { (known, new) } else { (new, known) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_stands_apart_if_not_all_or_nothing_is() {
        for (grantable, consented, new, known) in [
            ("openid read", None, "openid read", ""),
            ("openid read", Some(""), "openid read", ""),
            ("openid read", Some("write"), "openid read", ""),
            ("openid read", Some("openid write"), "read", "openid"),
            ("openid read", Some("openid read"), "openid read", ""),
            ("", Some("openid"), "", ""),
        ] {
            let list = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            let (grantable, consented) = (list(grantable), consented.map(list));
            let (found_new, found_known) = divide_by_news(&grantable, consented.as_deref());
            let text = |scopes: Vec<&String>| scopes.into_iter().cloned().collect::<Vec<_>>().join(" ");
            assert_eq!((text(found_new), text(found_known)), (new.to_owned(), known.to_owned()));
        }
    }
}
