//! How long requests took, counted into buckets as they are answered: a process holds the same few numbers however
//! many come.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Bounds of the buckets, from a cached answer to a request that waits for the database.
const BOUNDS: [Duration; 11] = [
    Duration::from_micros(1_000),
    Duration::from_micros(2_500),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(25),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(5),
];

/// Values of `route`, `method` and `status`.
type Labels = [&'static str; 3];

/// The requests with the same labels.
#[derive(Default)]
struct Series {
    /// How many took as long as each bound at most and longer than the one before it; last, longer than all.
    counts: [AtomicU64; BOUNDS.len() + 1],
    nanoseconds: AtomicU64,
}

/// Those of the whole process, in the order in which they are shown, of each thread by itself: what several processors
/// count together costs more than the request for a document.
static ALL: Mutex<BTreeMap<Labels, Vec<Arc<Series>>>> = Mutex::new(BTreeMap::new());

thread_local! {
    /// This thread's.
    static KNOWN: RefCell<HashMap<Labels, Arc<Series>>> = RefCell::default();
}

/// Counts a request that took so long.
pub(super) fn count(labels: Labels, elapsed: Duration) {
    KNOWN.with_borrow_mut(|known| {
        let of_this_thread = known.entry(labels).or_insert_with(|| {
            let series = Arc::default();
            all().entry(labels).or_default().push(Arc::clone(&series));
            series
        });
        of_this_thread.count(elapsed);
    });
}

/// Appends them in Prometheus' text format.
pub(super) fn render(name: &str, help: &str, text: &mut String) {
    let all = all();
    if all.is_empty() {
        return;
    }
    let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} histogram\n");
    for ([route, method, status], series) in all.iter() {
        let labels = format!("route=\"{route}\",method=\"{method}\",status=\"{status}\"");
        render_together(series, name, &labels, text);
    }
    text.push('\n');
}

fn all() -> MutexGuard<'static, BTreeMap<Labels, Vec<Arc<Series>>>> {
    ALL.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Series {
    fn count(&self, elapsed: Duration) {
        let bucket = BOUNDS.iter().position(|bound| elapsed <= *bound).unwrap_or(BOUNDS.len());
        self.counts[bucket].fetch_add(1, Ordering::Relaxed);
        let nanoseconds = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }
}

fn render_together(threads: &[Arc<Series>], name: &str, labels: &str, text: &mut String) {
    let bounds = BOUNDS.iter().map(|bound| bound.as_secs_f64().to_string()).chain(["+Inf".to_owned()]);
    let mut count = 0;
    for (bucket, bound) in bounds.enumerate() {
        count += threads.iter().map(|series| series.counts[bucket].load(Ordering::Relaxed)).sum::<u64>();
        let _ = writeln!(text, "{name}_bucket{{{labels},le=\"{bound}\"}} {count}");
    }
    let nanoseconds = threads.iter().map(|series| series.nanoseconds.load(Ordering::Relaxed)).sum();
    let sum = Duration::from_nanos(nanoseconds).as_secs_f64();
    let _ = write!(text, "{name}_sum{{{labels}}} {sum}\n{name}_count{{{labels}}} {count}\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bucket_holds_what_took_no_longer() {
        let threads: [Arc<Series>; 2] = Default::default();
        for (thread, millis) in [(0, 0), (1, 1), (0, 3), (0, 5_000), (1, 5_001)] {
            threads[thread].count(Duration::from_millis(millis));
        }
        let mut text = String::new();
        render_together(&threads, "seconds", "route=\"/\"", &mut text);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines[..4],
            [
                "seconds_bucket{route=\"/\",le=\"0.001\"} 2",
                "seconds_bucket{route=\"/\",le=\"0.0025\"} 2",
                "seconds_bucket{route=\"/\",le=\"0.005\"} 3",
                "seconds_bucket{route=\"/\",le=\"0.01\"} 3",
            ]
        );
        assert_eq!(
            lines[10..],
            [
                "seconds_bucket{route=\"/\",le=\"5\"} 4",
                "seconds_bucket{route=\"/\",le=\"+Inf\"} 5",
                "seconds_sum{route=\"/\"} 10.005",
                "seconds_count{route=\"/\"} 5",
            ]
        );
    }
}
