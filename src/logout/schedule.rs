//! When a logout token that did not arrive is sent again.

use std::time::Duration;

/// Attempts until a delivery is given up: over a day, at the delays below.
pub const MOST_ATTEMPTS: i32 = 33;

const FIRST_DELAY: Duration = Duration::from_secs(5);
const LONGEST_DELAY: Duration = Duration::from_secs(3_600);

/// How long to wait after this attempt, the first being 1; `None`: it was the last. Delays double up to an hour.
/// `chance` (0 to 255) lengthens a delay by up to a quarter, so that what failed together does not come back together.
pub fn retry_after(attempt: i32, chance: u8) -> Option<Duration> {
    if attempt >= MOST_ATTEMPTS {
        return None;
    }
    let doublings = attempt.saturating_sub(1).clamp(0, 16).unsigned_abs();
    let delay = (FIRST_DELAY * 2_u32.pow(doublings)).min(LONGEST_DELAY);
    Some(delay + delay / 1_024 * u32::from(chance))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_an_hour_and_end() {
        for (attempt, seconds) in [
            (i32::MIN, Some(5)),
            (0, Some(5)),
            (1, Some(5)),
            (2, Some(10)),
            (5, Some(80)),
            (10, Some(2_560)),
            (11, Some(3_600)),
            (32, Some(3_600)),
            (33, None),
            (i32::MAX, None),
        ] {
            assert_eq!(retry_after(attempt, 0), seconds.map(Duration::from_secs), "{attempt}");
        }
    }

    #[test]
    fn chance_lengthens_by_a_quarter_at_most() {
        for attempt in 1..MOST_ATTEMPTS {
            let delay = |chance| retry_after(attempt, chance).unwrap();
            assert!(
                delay(0) < delay(1) && delay(1) < delay(255) && delay(255) < delay(0) * 5 / 4,
                "{attempt}"
            );
        }
    }

    #[test]
    fn an_app_that_is_down_for_a_day_is_told_in_the_end() {
        let together: Duration = (1..).map_while(|attempt| retry_after(attempt, 0)).sum();
        assert!(together > Duration::from_secs(23 * 3_600) && together < Duration::from_secs(25 * 3_600));
    }
}
