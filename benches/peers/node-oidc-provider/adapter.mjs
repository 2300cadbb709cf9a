// One table per model, looked up by primary key with prepared statements. `schema.sql` makes them.
import pg from "pg";

/** The pool of this process, with the driver's own limit of ten connections; PGHOST and the like say where to. */
export const database = new pg.Pool();

const TABLES = {
  AccessToken: "access_tokens",
  AuthorizationCode: "authorization_codes",
  Grant: "grants",
  Interaction: "interactions",
  PushedAuthorizationRequest: "pushed_authorization_requests",
  RefreshToken: "refresh_tokens",
  ReplayDetection: "replay_detection",
  ClientCredentials: "client_credentials",
  Session: "sessions",
};

export class PostgresqlAdapter {
  constructor(model) {
    this.table = TABLES[model];
  }

  #run(name, text, values) {
    return database.query({ name: `${name} ${this.table}`, text, values });
  }

  async #find(column, value) {
    const { rows } = await this.#run(
      `find by ${column}`,
      `SELECT payload, consumed_at FROM ${this.table} WHERE ${column} = $1`,
      [value],
    );
    const [row] = rows;
    return row && { ...row.payload, ...(row.consumed_at && { consumed: true }) };
  }

  async find(id) {
    // Every client is a static one.
    return this.table && this.#find("id", id);
  }

  async findByUid(uid) {
    return this.#find("uid", uid);
  }

  async upsert(id, payload, expiresIn) {
    await this.#run(
      "upsert",
      `INSERT INTO ${this.table} (id, payload, grant_id, uid, expires_at)
       VALUES ($1, $2, $3, $4, now() + $5 * interval '1 second')
       ON CONFLICT (id) DO UPDATE SET payload = excluded.payload, expires_at = excluded.expires_at`,
      [id, payload, payload.grantId, payload.uid, expiresIn],
    );
  }

  async consume(id) {
    await this.#run("consume", `UPDATE ${this.table} SET consumed_at = now() WHERE id = $1`, [id]);
  }

  async destroy(id) {
    await this.#run("destroy", `DELETE FROM ${this.table} WHERE id = $1`, [id]);
  }

  async revokeByGrantId(grantId) {
    await this.#run("revoke", `DELETE FROM ${this.table} WHERE grant_id = $1`, [grantId]);
  }
}
