//! Numbers out of histories and processes.

use std::time::Duration;

use super::history::{Event, Outcome};

/// How long a request took.
pub fn took(event: &Event) -> Duration {
    event.end.saturating_sub(event.begin)
}

/// The time within which this share (of 1) of the requests was answered. Zero where there were none.
pub fn quantile(times: impl IntoIterator<Item = Duration>, share: f64) -> Duration {
    let mut times: Vec<Duration> = times.into_iter().collect();
    times.sort_unstable();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    let place = (times.len() as f64 * share) as usize;
    times.get(place.min(times.len().saturating_sub(1))).copied().unwrap_or_default()
}

pub fn longest(times: impl IntoIterator<Item = Duration>) -> Duration {
    times.into_iter().max().unwrap_or_default()
}

/// Requests whose whole life lies in this span.
pub fn between(history: &[Event], begin: Duration, end: Duration) -> Vec<Event> {
    history.iter().filter(|event| event.begin >= begin && event.end <= end).copied().collect()
}

/// Requests that were answered in this span, for each second of it.
pub fn throughput(history: &[Event], begin: Duration, end: Duration) -> f64 {
    let answered = history.iter().filter(|event| !event.outcome.is_open());
    let answered = answered.filter(|event| event.end >= begin && event.end < end).count();
    f64::from(u32::try_from(answered).unwrap_or(u32::MAX)) / end.saturating_sub(begin).as_secs_f64()
}

pub fn count(history: &[Event], is: impl Fn(Outcome) -> bool) -> usize {
    history.iter().filter(|event| is(event.outcome)).count()
}

/// Answers that no fault excuses: anything but success, a refusal by the rules, and 503.
pub fn is_defect(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Fault(_) | Outcome::Late | Outcome::Away { retry_after: false })
}

/// Memory of a process in kilobytes, as the kernel counts it.
pub fn resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Open files of a process.
pub fn open_files(pid: u32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count)
}

/// The processor time that a process has used so far.
pub fn processor_time(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // After the name, which may hold anything: the twelfth and thirteenth field, in hundredths of a second.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    Duration::from_millis(fields.filter_map(|field| field.parse::<u64>().ok()).sum::<u64>() * 10)
}
