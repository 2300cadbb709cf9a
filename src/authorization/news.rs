//! What of a request is new to the person who is asked.

/// Divides what the person may grant into what is new, and what they agreed to before and are asked for again beside
/// it. If nothing is new, all of it counts as new: the question is then about everything, as the first time.
pub fn divide_by_news<T>(grantable: Vec<T>, is_known: impl Fn(&T) -> bool) -> (Vec<T>, Vec<T>) {
    let (known, new): (Vec<_>, Vec<_>) = grantable.into_iter().partition(is_known);
    if new.is_empty() { (known, new) } else { (new, known) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_stands_apart_if_not_all_or_nothing_is() {
        for (grantable, consented, new, known) in [
            ("openid read", "", "openid read", ""),
            ("openid read", "write", "openid read", ""),
            ("openid read", "openid write", "read", "openid"),
            ("openid read", "openid read", "openid read", ""),
            ("", "openid", "", ""),
        ] {
            let list = |text: &'static str| text.split_whitespace().collect::<Vec<_>>();
            let consented = list(consented);
            let (found_new, found_known) = divide_by_news(list(grantable), |scope| consented.contains(scope));
            assert_eq!((found_new.join(" "), found_known.join(" ")), (new.to_owned(), known.to_owned()));
        }
    }
}
