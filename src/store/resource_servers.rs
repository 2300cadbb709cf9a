//! Registered resource servers.

use sqlx::PgExecutor;

use super::audit;
use super::scopes::HeldScopes;
use super::{Store, StoreError, Transaction, bump_version, commit_change, in_transaction};
use crate::model::{AuditEvent, AuditEventKind, ClientId, Details, ResourceServer};

/// A client that names a resource server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceServerUse {
    /// The client.
    pub client_id: ClientId,
    /// Its name.
    pub client_name: String,
    /// Whether it may get tokens for it (RFC 8707).
    pub gets_tokens: bool,
    /// Whether it may introspect for it (RFC 7662 §4).
    pub introspects: bool,
}

/// What became of removing a resource server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResourceServerDeletion {
    /// It is gone, also from these clients.
    Done(Vec<ResourceServerUse>),
    /// These clients name it, and nothing was changed.
    InUse(Vec<ResourceServerUse>),
    /// There is none.
    NotFound,
}

impl Store {
    /// All resource servers, by identifier.
    pub async fn resource_servers(&self) -> Result<Vec<ResourceServer>, StoreError> {
        let servers = sqlx::query_as!(
            ResourceServer,
            "SELECT identifier, name, scopes, created_at FROM resource_servers ORDER BY identifier"
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(servers)
    }

    /// The resource server with this identifier.
    pub async fn resource_server(&self, identifier: &str) -> Result<Option<ResourceServer>, StoreError> {
        let server = sqlx::query_as!(
            ResourceServer,
            "SELECT identifier, name, scopes, created_at FROM resource_servers WHERE identifier = $1",
            identifier,
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(server)
    }

    /// The clients that name it, by name.
    pub async fn uses_of_resource_server(
        &self,
        identifier: &str,
    ) -> Result<Vec<ResourceServerUse>, StoreError> {
        uses(&self.pool, identifier).await
    }

    /// Registers a resource server, also one that was only named by clients so far, of which nothing is said yet. Of
    /// its scopes those are written that are registered.
    pub async fn insert_resource_server(&self, server: &ResourceServer) -> Result<(), StoreError> {
        in_transaction!(self, |transaction| {
            let held = HeldScopes::hold(&mut transaction).await?;
            let scopes = server.scopes.as_deref().map(|scopes| held.of(scopes));
            let done = sqlx::query!(
                "INSERT INTO resource_servers AS known (identifier, name, scopes, created_at, updated_at)
                 VALUES ($1, $2, $3, $4, $4)
                 ON CONFLICT (identifier) DO UPDATE
                 SET name = excluded.name, scopes = excluded.scopes, updated_at = excluded.updated_at
                 WHERE known.name = known.identifier AND known.scopes IS NULL",
                server.identifier,
                server.name,
                scopes.as_deref(),
                server.created_at.to_datetime(),
            )
            .execute(&mut transaction)
            .await?;
            if done.rows_affected() == 0 {
                return Err(StoreError::Conflict { what: "a resource server with this identifier" });
            }
            let event = about(AuditEventKind::ResourceServerCreated, &server.identifier, scopes);
            audit::record(&mut transaction, &self.origin, &[event]).await?;
            bump_version(&mut transaction).await?;
            Ok(transaction.commit().await?)
        })
    }

    /// Changes name and scopes, as far as they are given; `Some(None)`: it no longer says which scopes it
    /// understands. The resource server as it is from now on; `None`: there is none.
    pub async fn update_resource_server(
        &self,
        identifier: &str,
        name: Option<&str>,
        scopes: Option<Option<&[String]>>,
    ) -> Result<Option<ResourceServer>, StoreError> {
        in_transaction!(self, |transaction| {
            let held = HeldScopes::hold(&mut transaction).await?;
            let new_scopes = scopes.flatten().map(|scopes| held.of(scopes));
            let updated = sqlx::query_as!(
                ResourceServer,
                "UPDATE resource_servers
                 SET name = coalesce($2, name), scopes = CASE WHEN $3 THEN $4 ELSE scopes END,
                     updated_at = clock_timestamp()
                 WHERE identifier = $1
                 RETURNING identifier, name, scopes, created_at",
                identifier,
                name,
                scopes.is_some(),
                new_scopes.as_deref(),
            )
            .fetch_optional(&mut transaction)
            .await?;
            if let Some(server) = &updated {
                let event =
                    about(AuditEventKind::ResourceServerChanged, &server.identifier, server.scopes.clone());
                audit::record(&mut transaction, &self.origin, &[event]).await?;
            }
            commit_change(transaction, u64::from(updated.is_some())).await?;
            Ok(updated)
        })
    }

    /// Removes a resource server. One that clients name is removed only `also_from_clients`, and from them too.
    pub async fn delete_resource_server(
        &self,
        identifier: &str,
        also_from_clients: bool,
    ) -> Result<ResourceServerDeletion, StoreError> {
        in_transaction!(self, |transaction| {
            // Clients before the resource server, as who writes a client locks them.
            sqlx::query!(
                "SELECT client_id FROM clients WHERE $1 = ANY(audiences || resource_servers)
                 ORDER BY client_id FOR NO KEY UPDATE",
                identifier,
            )
            .fetch_all(&mut transaction)
            .await?;
            let gone = sqlx::query!("DELETE FROM resource_servers WHERE identifier = $1", identifier)
                .execute(&mut transaction)
                .await?;
            // A look after the delete, which has waited for whoever was naming it.
            let uses = uses(&mut transaction, identifier).await?;
            if !uses.is_empty() && !also_from_clients {
                return Ok(ResourceServerDeletion::InUse(uses));
            }
            sqlx::query!(
                "UPDATE clients SET audiences = array_remove(audiences, $1),
                     resource_servers = array_remove(resource_servers, $1), updated_at = clock_timestamp()
                 WHERE $1 = ANY(audiences || resource_servers)",
                identifier,
            )
            .execute(&mut transaction)
            .await?;
            let deleted = (gone.rows_affected() > 0)
                .then(|| about(AuditEventKind::ResourceServerDeleted, identifier, None));
            let events: Vec<_> = deleted.into_iter().chain(left(&uses)).collect();
            audit::record(&mut transaction, &self.origin, &events).await?;
            let changed = commit_change(transaction, gone.rows_affected() + uses.len() as u64).await?;
            Ok(if changed { ResourceServerDeletion::Done(uses) } else { ResourceServerDeletion::NotFound })
        })
    }
}

fn about(kind: AuditEventKind, identifier: &str, scopes: Option<Vec<String>>) -> AuditEvent {
    let event = AuditEvent::about(kind, "resource_server", identifier);
    match scopes {
        Some(scopes) => event.with(Details::Scopes { scopes }),
        None => event,
    }
}

/// The clients from which a resource server was taken.
fn left(uses: &[ResourceServerUse]) -> Vec<AuditEvent> {
    let changed = |one: &ResourceServerUse| {
        let names = [(one.gets_tokens, "audiences"), (one.introspects, "resource_servers")];
        names.into_iter().filter(|(named, _)| *named).map(|(_, column)| column.to_owned()).collect()
    };
    uses.iter()
        .map(|one| {
            let event = AuditEvent::about_client(AuditEventKind::ClientChanged, &one.client_id);
            event.with(Details::Changed { changed: changed(one) })
        })
        .collect()
}

async fn uses(executor: impl PgExecutor<'_>, identifier: &str) -> Result<Vec<ResourceServerUse>, StoreError> {
    let uses = sqlx::query_as!(
        ResourceServerUse,
        r#"SELECT client_id, name AS client_name, $1 = ANY(audiences) AS "gets_tokens!",
               $1 = ANY(resource_servers) AS "introspects!"
           FROM clients WHERE $1 = ANY(audiences || resource_servers) ORDER BY name, client_id"#,
        identifier,
    )
    .fetch_all(executor)
    .await?;
    Ok(uses)
}

/// Registers what a client names for the first time, without saying which scopes it understands, and keeps all that
/// it names from being deleted until the transaction ends.
pub(super) async fn register_named(
    transaction: &mut Transaction,
    identifiers: &[&[String]],
) -> Result<(), StoreError> {
    // The update changes nothing but locks a row that is there already.
    sqlx::query!(
        "INSERT INTO resource_servers AS known (identifier, name)
         SELECT DISTINCT named, named FROM unnest($1::text[]) AS named ORDER BY named
         ON CONFLICT (identifier) DO UPDATE SET name = known.name",
        &identifiers.concat(),
    )
    .execute(&mut *transaction)
    .await?;
    Ok(())
}
