//! The table of Grantor and its peers, and the same as JSON.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, LineStyle, Table};
use serde::Serialize;

use super::server::{STARTS, Server, grantor_mib};
use crate::measure::{Latencies, median};
use crate::population::Size;
use crate::site::Site;

/// Everything that was found.
#[derive(Debug, Serialize)]
pub struct Comparison {
    /// Of each peer's database.
    pub population: Size,
    /// Grantor, and those that are installed.
    pub servers: Vec<Installation>,
    pub rows: Vec<Compared>,
}

/// One of the servers.
#[derive(Debug, Serialize)]
pub struct Installation {
    pub name: &'static str,
    pub version: String,
    pub started_in: f64,
    pub idle_mib: f64,
    pub loaded_mib: f64,
}

/// One row, with the figures of each server.
#[derive(Debug, Serialize)]
pub struct Compared {
    pub name: &'static str,
    pub figures: Vec<Figures>,
}

/// Medians of the rounds.
#[derive(Debug, Serialize)]
pub struct Figures {
    pub per_second: f64,
    /// How many times as many Grantor answered in the same round.
    pub ratio: f64,
    pub lowest_ratio: f64,
    pub highest_ratio: f64,
    /// Processor time of all its processes for one answer.
    pub cpu_micros: f64,
    pub latencies: Latencies,
    /// Sent away, because there was more to do than it can.
    pub refused: u64,
    pub errors: u64,
    pub first_error: Option<String>,
}

impl Installation {
    pub fn of_grantor(site: &Site, version: &str) -> Self {
        let started_in = median((0..STARTS).map(|_| site.spawn().started_in.as_secs_f64()));
        let idle_mib = grantor_mib(site);
        let version = version.trim_start_matches("grantor ").to_owned();
        Self { name: "Grantor", version, started_in, idle_mib, loaded_mib: idle_mib }
    }

    pub fn of_peer(server: &Server) -> Self {
        Self {
            name: server.peer.name,
            version: server.version.clone(),
            started_in: server.started_in,
            idle_mib: server.idle_mib,
            loaded_mib: server.idle_mib,
        }
    }
}

impl Figures {
    fn print_trouble(&self, row: &str, server: &str) {
        let Self { refused, errors, .. } = self;
        if *refused > 0 {
            println!("\n{row} of {server}: {refused} refused");
        }
        if *errors > 0 {
            println!("\nWRONG: {row} of {server} had {errors} errors; the first:");
            println!("{}", self.first_error.as_deref().unwrap_or_default());
        }
    }
}

impl Comparison {
    /// Whether every answer was right.
    pub fn is_sound(&self) -> bool {
        self.rows.iter().flat_map(|row| &row.figures).all(|figures| figures.errors == 0)
    }

    pub fn print(&self) {
        let Size { users, clients, grants } = self.population;
        println!(
            "peers       {users} users, {clients} clients, {grants} refresh tokens each, written by SQL; codes by"
        );
        println!("            their own authorization endpoints before each turn, of 8 codes to a session");
        println!("            what their settings are, and what work is equal: benches/peers/README.md\n");
        println!("{}\n\n{}", self.rows_table(), self.servers_table());
        for row in &self.rows {
            for (server, figures) in self.servers.iter().zip(&row.figures) {
                figures.print_trouble(row.name, server.name);
            }
        }
    }

    fn rows_table(&self) -> Table {
        let mut table = table(&[
            "row",
            "peer",
            "Grantor/s",
            "peer/s",
            "ratio",
            "Grantor's ms",
            "peer's ms",
            "Grantor's CPU",
            "peer's CPU",
            "ratio",
        ]);
        for row in &self.rows {
            let Some((grantor, peers)) = row.figures.split_first() else { continue };
            for (server, peer) in self.servers[1..].iter().zip(peers) {
                table.add_row([
                    row.name.to_owned(),
                    server.name.to_owned(),
                    format!("{:.0}", grantor.per_second),
                    format!("{:.0}", peer.per_second),
                    format!("{:.1} [{:.1}–{:.1}]", peer.ratio, peer.lowest_ratio, peer.highest_ratio),
                    shown(grantor.latencies),
                    shown(peer.latencies),
                    format!("{:.0}", grantor.cpu_micros),
                    format!("{:.0}", peer.cpu_micros),
                    format!("{:.1}", peer.cpu_micros / grantor.cpu_micros),
                ]);
            }
        }
        align(table, &[2, 3, 7, 8, 9])
    }

    fn servers_table(&self) -> Table {
        let mut table = table(&["server", "version", "start s", "idle MiB", "under load MiB"]);
        for server in &self.servers {
            table.add_row([
                server.name.to_owned(),
                server.version.clone(),
                format!("{:.2}", server.started_in),
                format!("{:.0}", server.idle_mib),
                format!("{:.0}", server.loaded_mib),
            ]);
        }
        align(table, &[2, 3, 4])
    }
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING.header_separator(LineStyle::none().fill('─').junction('─')));
    table.set_header(header);
    table
}

/// With these columns to the right.
fn align(mut table: Table, columns: &[usize]) -> Table {
    for column in columns {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn shown(Latencies { p50, p99, p999 }: Latencies) -> String {
    format!("{p50:.2}/{p99:.2}/{p999:.2}")
}
