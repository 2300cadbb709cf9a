//! The table, and the same as JSON.

use std::fs;
use std::path::Path;
use std::process::Command;

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, LineStyle, Table};
use serde::Serialize;

use super::measure::{Latencies, Measured};
use super::options::Options;
use super::peers::Comparison;
use super::rows::Stage;
use super::rows::footprint::Footprint;
use super::site::{POSTGRESQL, Site};

/// Everything that a run has found.
#[derive(Debug, Serialize)]
pub struct Report {
    pub machine: Machine,
    /// What differs from Grantor's defaults.
    pub settings: Vec<(String, String)>,
    pub options: Options,
    /// When all was measured.
    pub load_average_at_end: String,
    pub rows: Vec<Measured>,
    pub footprint: Option<Footprint>,
    pub peers: Option<Comparison>,
}

/// Where and with what it was measured.
#[derive(Debug, Serialize)]
pub struct Machine {
    pub processor: String,
    pub cores: String,
    pub memory_mib: u64,
    pub kernel: String,
    pub load_average: String,
    pub rustc: String,
    pub postgresql: String,
    pub grantor: String,
}

impl Machine {
    pub async fn look(site: &Site) -> Self {
        let first = |file: &str, field: &str| {
            let content = fs::read_to_string(file).unwrap_or_default();
            let line = content.lines().find(|line| line.starts_with(field)).unwrap_or_default().to_owned();
            line.split_once(':').map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
        };
        let postgresql = sqlx::query_scalar("SHOW server_version").fetch_one(&mut site.connect().await).await;
        let memory = first("/proc/meminfo", "MemTotal");
        Self {
            processor: first("/proc/cpuinfo", "model name"),
            cores: format!(
                "server {}, load and PostgreSQL {}",
                site.server_cores.list(),
                site.other_cores.list()
            ),
            memory_mib: memory.split(' ').next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default()
                / 1024,
            kernel: read("/proc/sys/kernel/osrelease"),
            load_average: load_average(),
            rustc: said("rustc", &["--version"]),
            postgresql: postgresql.expect("PostgreSQL has a version"),
            grantor: said(&site.binary().display().to_string(), &["--version"]),
        }
    }
}

/// Of this moment.
pub fn load_average() -> String {
    read("/proc/loadavg").split(' ').take(3).collect::<Vec<_>>().join(" ")
}

fn read(file: &str) -> String {
    fs::read_to_string(file).unwrap_or_default().trim().to_owned()
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}

impl Report {
    /// Without any rows yet.
    pub async fn new(stage: &Stage) -> Self {
        Self {
            machine: Machine::look(&stage.site).await,
            settings: stage.site.settings(),
            options: stage.options.clone(),
            load_average_at_end: load_average(),
            rows: Vec::new(),
            footprint: None,
            peers: None,
        }
    }

    /// Whether every answer was right.
    pub fn is_sound(&self) -> bool {
        self.rows.iter().all(|row| row.errors == 0)
            && self.footprint.as_ref().is_none_or(|footprint| footprint.error.is_none())
            && self.peers.as_ref().is_none_or(Comparison::is_sound)
    }

    pub fn write(&self, file: &Path) -> std::io::Result<()> {
        if let Some(directory) = file.parent() {
            fs::create_dir_all(directory)?;
        }
        fs::write(file, serde_json::to_vec_pretty(self)?)
    }

    pub fn print(&self) {
        self.print_head();
        if !self.rows.is_empty() {
            println!("{}", self.table());
        }
        for row in self.rows.iter().filter(|row| row.limits.len() > 1) {
            let limits: Vec<_> =
                row.limits.iter().map(|(name, rate)| format!("{name} {rate:.0}/s")).collect();
            let overlapping = if row.ratio_to_lowest < row.ratio {
                format!("; to the lowest alone, since requests overlap: {:.2}", row.ratio_to_lowest)
            } else {
                String::new()
            };
            println!(" {}: {}{overlapping}", row.name, limits.join(", "));
        }
        if let Some(footprint) = &self.footprint {
            print_footprint(footprint);
        }
        if let Some(peers) = &self.peers {
            peers.print();
        }
        for row in self.rows.iter().filter(|row| row.errors > 0) {
            println!("\nWRONG: {} had {} errors; the first:", row.name, row.errors);
            println!("{}", row.first_error.as_deref().unwrap_or_default());
        }
    }

    fn print_head(&self) {
        let options = &self.options;
        let Machine {
            processor, cores, memory_mib, kernel, load_average, rustc, postgresql, grantor, ..
        } = &self.machine;
        let size = options.population.size();
        println!(
            "machine     {processor}, {memory_mib} MiB, Linux {kernel}; load average {load_average}, at the end {}",
            self.load_average_at_end
        );
        println!("cores       {cores}");
        println!("versions    {grantor}, PostgreSQL {postgresql}, {rustc}");
        println!(
            "run         {} rounds of {} s, {} connections; {} users, {} clients, {} refresh tokens; fsync and \
             synchronous_commit on",
            options.rounds, options.seconds, options.connections, size.users, size.clients, size.grants
        );
        let settings: Vec<_> = self.settings.iter().map(|(name, value)| format!("{name}={value}")).collect();
        println!("settings    {} {}", settings.join(" "), POSTGRESQL.join(" "));
        println!(
            "times in ms (p50/p99/p99.9); CPU: processor time in µs of the server for one answer, of its limit, their \
             ratio, and of the load; busy: the server's cores and the others\n"
        );
    }

    fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(NOTHING.header_separator(LineStyle::none().fill('─').junction('─')));
        table.set_header([
            "row",
            "limit",
            "Grantor/s",
            "limit/s",
            "ratio",
            "goal",
            "",
            "closed",
            "at 50 %",
            "at 80 %",
            "CPU",
            "of limit",
            "ratio",
            "load",
            "busy",
        ]);
        for row in &self.rows {
            table.add_row([
                row.name.to_owned(),
                row.limit.to_owned(),
                format!("{:.0}", row.per_second),
                format!("{:.0}", row.limit_per_second),
                format!("{:.2} [{:.2}–{:.2}]", row.ratio, row.lowest_ratio, row.highest_ratio),
                format!("{:.2}", row.goal),
                verdict(row),
                shown(Some(row.closed)),
                shown(row.at_half),
                shown(row.at_four_fifths),
                format!("{:.1}", row.cpu_micros),
                row.limit_cpu_micros.map_or_else(String::new, |micros| format!("{micros:.1}")),
                row.cpu_ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}")),
                format!("{:.1}", row.load_cpu_micros),
                format!("{:.0}/{:.0} %", 100.0 * row.server_cores_busy, 100.0 * row.other_cores_busy),
            ]);
        }
        for column in [2, 3, 5, 10, 11, 12, 13, 14] {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table
    }
}

fn print_footprint(footprint: &Footprint) {
    let mebibytes = |kib: u64| kib as f64 / 1024.0;
    let word = |is_met: bool| if is_met { "met" } else { "MISSED" };
    let Footprint { start_seconds, idle_kib, peak_kib, peak_with_sign_ins_kib, hashing_threads, .. } =
        footprint;
    let (without, with) = footprint.goals();
    println!("\nmemory (RSS in MiB)");
    println!("  idle                  {:6.1}", mebibytes(*idle_kib));
    println!(
        "  peak, no sign-ins     {:6.1}  goal {:.1}  {}",
        mebibytes(*peak_kib),
        mebibytes(without),
        word(*peak_kib <= without)
    );
    println!(
        "  peak, with sign-ins   {:6.1}  goal {:.1}  {}  ({hashing_threads} hashing threads)",
        mebibytes(*peak_with_sign_ins_kib),
        mebibytes(with),
        word(*peak_with_sign_ins_kib <= with)
    );
    println!(
        "start to first answer   {start_seconds:.3} s  goal {}  {}",
        Footprint::START_GOAL,
        word(*start_seconds <= Footprint::START_GOAL)
    );
    println!("binary                  {:.1} MiB", footprint.binary_bytes as f64 / 1024.0 / 1024.0);
    if let Some(error) = &footprint.error {
        println!("\nWRONG: {error}");
    }
}

fn verdict(row: &Measured) -> String {
    let word = match (row.errors, row.is_met()) {
        (0, true) => "met",
        (0, false) => "MISSED",
        _ => "WRONG",
    };
    match row.refused {
        0 => word.to_owned(),
        refused => format!("{word}, {refused} refused"),
    }
}

fn shown(latencies: Option<Latencies>) -> String {
    latencies
        .map_or_else(|| "–".to_owned(), |Latencies { p50, p99, p999 }| format!("{p50:.2}/{p99:.2}/{p999:.2}"))
}
