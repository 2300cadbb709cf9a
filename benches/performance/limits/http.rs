//! actix-web alone: an empty handler, and one that asks PostgreSQL for one row by its primary key.

use std::net::SocketAddr;
use std::process::Command;

use actix_web::http::header::ContentType;
use actix_web::web::{Data, Path, get};
use actix_web::{App, HttpResponse, HttpServer};
use clap::{Args, ValueEnum};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use uuid::Uuid;

use crate::process::{Process, free_address};
use crate::site::Site;

/// What the server answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// `GET /` with an empty body
    Empty,
    /// `GET /UUID` with the name of this account
    Lookup,
}

/// How the bench starts such a server.
#[derive(Debug, Args)]
pub struct ServerOptions {
    #[arg(long, value_enum)]
    kind: Kind,
    #[arg(long)]
    listen: SocketAddr,
    #[arg(long)]
    workers: usize,
    /// Of all workers to the database
    #[arg(long)]
    connections: u32,
    #[arg(long)]
    database_url: String,
}

/// Starts such a server on the cores of Grantor, with as many workers and connections to the database.
pub fn start(kind: Kind, site: &Site) -> Process {
    let address = free_address();
    let kind = kind.to_possible_value().expect("no value is hidden");
    let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
    command.args(["limit-server", "--kind", kind.get_name(), "--listen", &address.to_string()]);
    command.args([
        "--workers",
        &site.server_cores.count().to_string(),
        "--connections",
        &site.request_connections().to_string(),
        "--database-url",
        &site.database_url(),
    ]);
    Process::start(&mut command, &site.server_cores, address, "/")
}

/// Serves until it is killed.
pub fn serve(options: &ServerOptions) -> std::io::Result<()> {
    let (listen, workers) = (options.listen, options.workers);
    actix_web::rt::System::new().block_on(async {
        match options.kind {
            Kind::Empty => {
                let app = || App::new().route("/", get().to(HttpResponse::Ok));
                HttpServer::new(app).workers(workers).bind(listen)?.run().await
            }
            Kind::Lookup => {
                let url = options.database_url.clone();
                let connections = (options.connections / u32::try_from(workers).unwrap_or(u32::MAX)).max(1);
                let app = move || {
                    // Each worker has its own, and a connection is not tried before it is used.
                    let pool = PgPoolOptions::new().max_connections(connections).test_before_acquire(false);
                    let pool = pool.connect_lazy(&url).expect("a sound URL");
                    App::new()
                        .app_data(Data::new(pool))
                        .route("/", get().to(HttpResponse::Ok))
                        .route("/{id}", get().to(name_of))
                };
                HttpServer::new(app).workers(workers).bind(listen)?.run().await
            }
        }
    })
}

async fn name_of(pool: Data<PgPool>, id: Path<Uuid>) -> HttpResponse {
    let found = sqlx::query_scalar::<_, String>("SELECT username FROM users WHERE id = $1")
        .bind(id.into_inner())
        .fetch_one(pool.get_ref())
        .await;
    match found {
        Ok(name) => HttpResponse::Ok().insert_header(ContentType::plaintext()).body(name),
        Err(error) => HttpResponse::InternalServerError().body(error.to_string()),
    }
}
