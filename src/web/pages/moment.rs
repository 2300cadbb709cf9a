use std::time::Duration;

use crate::time::Timestamp;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A time in the past as a page tells it: how long ago, which needs no time zone, and when exactly, in UTC.
#[derive(Debug, Clone)]
pub struct Moment {
    /// How long ago, such as "3 days ago".
    pub ago: String,
    /// When, such as "22 Nov 2026, 09:05 UTC".
    pub exact: String,
    /// The same for programs.
    pub datetime: String,
}

impl Moment {
    /// As it is at `now`.
    pub fn new(time: Timestamp, now: Timestamp) -> Self {
        let at = time.to_datetime();
        let (day, year) = (at.day(), at.year());
        let month: String = at.month().to_string().chars().take(3).collect();
        Self {
            ago: ago(now.since(time)),
            exact: format!("{day} {month} {year}, {:02}:{:02} UTC", at.hour(), at.minute()),
            datetime: time.to_string(),
        }
    }
}

fn ago(distance: Duration) -> String {
    let seconds = distance.as_secs();
    let (count, unit) = match seconds {
        // The last use of a session is not known better.
        0..600 => return "in the last few minutes".to_owned(),
        600..HOUR => (seconds / MINUTE, "minute"),
        HOUR..DAY => (seconds / HOUR, "hour"),
        _ => (seconds / DAY, "day"),
    };
    if count == 1 { format!("1 {unit} ago") } else { format!("{count} {unit}s ago") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_without_a_time_zone_and_with_one() {
        let time = Timestamp::from_rfc3339("2026-11-02T09:05:59Z").unwrap();
        let moment = Moment::new(time, time + Duration::from_secs(DAY));
        assert_eq!(moment.exact, "2 Nov 2026, 09:05 UTC");
        assert_eq!(moment.datetime, "2026-11-02T09:05:59Z");
        for (seconds, ago) in [
            (0, "in the last few minutes"),
            (599, "in the last few minutes"),
            (600, "10 minutes ago"),
            (3_599, "59 minutes ago"),
            (3_600, "1 hour ago"),
            (2 * HOUR, "2 hours ago"),
            (DAY - 1, "23 hours ago"),
            (DAY, "1 day ago"),
            (400 * DAY, "400 days ago"),
        ] {
            assert_eq!(Moment::new(time, time + Duration::from_secs(seconds)).ago, ago);
        }
        // By a clock that is behind.
        assert_eq!(Moment::new(time, time - Duration::from_secs(5)).ago, "in the last few minutes");
    }
}
