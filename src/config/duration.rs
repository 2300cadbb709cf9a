//! Durations as people write them: one whole number and one unit, `30s`, `10m`, `12h`, `90d`.
//!
//! No months or years, whose length is a matter of opinion, and nothing below a second, since a token's
//! lifetime is told in whole seconds (`expires_in`, RFC 6749 §5.1).

use std::time::Duration;

use serde::Deserialize;

pub(super) const MINUTE: u64 = 60;
pub(super) const HOUR: u64 = 60 * MINUTE;
pub(super) const DAY: u64 = 24 * HOUR;

const UNITS: [(char, u64); 4] = [('d', DAY), ('h', HOUR), ('m', MINUTE), ('s', 1)];

/// Reads a duration; `None` where the text is not exactly a number and a unit.
pub fn parse(text: &str) -> Option<Duration> {
    let (unit, seconds) = UNITS.into_iter().find(|(unit, _)| text.ends_with(*unit))?;
    let digits = text.strip_suffix(unit)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse::<u64>().ok()?.checked_mul(seconds).map(Duration::from_secs)
}

/// Writes a number of seconds in the largest unit that divides it.
pub fn format(seconds: u64) -> String {
    UNITS
        .into_iter()
        .find(|(_, unit)| seconds > 0 && seconds.is_multiple_of(*unit))
        .map_or_else(|| format!("{seconds}s"), |(unit, length)| format!("{}{unit}", seconds / length))
}

/// For the fields of a section.
pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).ok_or_else(|| serde::de::Error::custom("not a duration"))
}

/// In the place of a duration: never.
pub(super) const OFF: &str = "off";

/// For fields that may be switched off.
pub(super) fn deserialize_or_off<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.as_str() {
        OFF => Ok(None),
        text => parse(text).map(Some).ok_or_else(|| serde::de::Error::custom("not a duration")),
    }
}

/// An idle lifetime beyond the absolute one would never be reached.
pub(super) fn check_order(idle: (&str, Duration), absolute: (&str, Duration), problems: &mut Vec<String>) {
    if idle.1 > absolute.1 {
        let [short, long] = [idle.1, absolute.1].map(|lifetime| format(lifetime.as_secs()));
        problems.push(format!(
            "{} ({short}) is above {} ({long}): lower it or raise the other",
            idle.0, absolute.0
        ));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn is_a_number_and_a_unit() {
        for (text, seconds) in [("0s", 0), ("30s", 30), ("10m", 600), ("12h", 43_200), ("90d", 7_776_000)] {
            assert_eq!(parse(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "s", "10", "10 m", "-1s", "+1s", "1.5h", "1h30m", "10ms", "1M", "1y", "٣s", "1s "] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse("18446744073709551615d"), None, "an overflow is not a short duration");
    }

    #[test]
    fn is_written_in_the_largest_unit() {
        for (seconds, text) in [(0, "0s"), (90, "90s"), (120, "2m"), (43_200, "12h"), (172_800, "2d")] {
            assert_eq!(format(seconds), text);
        }
    }

    proptest! {
        #[test]
        fn is_read_as_it_was_written(seconds in any::<u64>()) {
            prop_assert_eq!(parse(&format(seconds)), Some(Duration::from_secs(seconds)));
        }
    }
}
