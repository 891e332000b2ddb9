/** One row per thing an auditor may ask about; `entry` counts them in the order of the store. */
export const AUDIT_TABLES = ['audit_entries', 'audit_sessions', 'audit_open', 'audit_approvals', 'audit_grants'] as const

/**
 * `audit_sessions` and `audit_open` are what later events of a session need of earlier ones: who it is, and which row
 * a command without an outcome has. `audit_grants` has the grants that were given. `audit_text` is an index without content of its own (FTS5, external content).
 */
export const AUDIT_SCHEMA = `
DROP TABLE IF EXISTS audit_text;
CREATE TABLE audit_entries (
  entry INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  time TEXT NOT NULL,
  event TEXT NOT NULL,
  decision TEXT NOT NULL DEFAULT '',
  session TEXT NOT NULL DEFAULT '',
  number INTEGER,
  person TEXT NOT NULL DEFAULT '',
  actor TEXT NOT NULL DEFAULT '',
  protocol TEXT NOT NULL DEFAULT '',
  target TEXT NOT NULL DEFAULT '',
  database TEXT NOT NULL DEFAULT '',
  address TEXT NOT NULL DEFAULT '',
  action TEXT NOT NULL DEFAULT '',
  fidelity TEXT NOT NULL DEFAULT '',
  text TEXT NOT NULL,
  parameters TEXT NOT NULL DEFAULT '[]',
  effect TEXT NOT NULL DEFAULT '',
  decided_by TEXT NOT NULL DEFAULT '',
  rules TEXT NOT NULL DEFAULT '[]',
  reason TEXT NOT NULL DEFAULT '',
  ruleset TEXT NOT NULL DEFAULT '',
  approval TEXT NOT NULL DEFAULT '',
  approver TEXT NOT NULL DEFAULT '',
  impact TEXT NOT NULL DEFAULT '',
  status TEXT NOT NULL DEFAULT '',
  rows INTEGER,
  bytes INTEGER,
  duration_ms REAL,
  error TEXT NOT NULL DEFAULT '',
  masked TEXT NOT NULL DEFAULT '[]',
  exemptions TEXT NOT NULL DEFAULT '[]',
  grants TEXT NOT NULL DEFAULT '[]',
  beyond TEXT NOT NULL DEFAULT ''
);
CREATE INDEX audit_by_time ON audit_entries (time);
CREATE INDEX audit_by_session ON audit_entries (session);
CREATE TABLE audit_sessions (
  session TEXT PRIMARY KEY, person TEXT NOT NULL, actor TEXT NOT NULL, protocol TEXT NOT NULL,
  target TEXT NOT NULL, database TEXT NOT NULL, address TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE audit_open (session TEXT NOT NULL, command TEXT NOT NULL, entry INTEGER NOT NULL, PRIMARY KEY (session, command)) WITHOUT ROWID;
CREATE TABLE audit_approvals (approval TEXT PRIMARY KEY, entry INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE audit_grants (id TEXT PRIMARY KEY, expires TEXT NOT NULL, revoked INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE VIRTUAL TABLE audit_text USING fts5 (text, content = 'audit_entries', content_rowid = 'entry', tokenize = "unicode61 tokenchars '_'");
`
