import type { FactsDeclaration } from '../../../core/index.ts'

/** What a rule may ask of a SQL command, under `command.sql`. */
export const SQL_FACTS: FactsDeclaration = {
  namespace: 'sql',
  defaults: {
    /** Statements in the text. */
    statements: 1,
    /** Relations read or written, `schema.name`; as written where the catalogue does not know them. */
    tables: [],
    reads: [],
    writes: [],
    /** Columns named, `schema.table.column`; `*` is expanded where the catalogue knows the table. */
    columns: [],
    functions: [],
    /** An UPDATE, DELETE, MERGE or TRUNCATE that no condition on its rows restricts. */
    unbounded: false,
    returning: false,
    /** Settings changed, `search_path`; `*` for all. */
    settings: [],
    roles: [],
    /** Starts a program on the server. */
    programs: false,
    /** Touches files of the server. */
    files: false,
    /** Concerns the whole database or server: roles, databases, tablespaces, ALTER SYSTEM, VACUUM of everything. */
    databaseWide: false,
    /** Reads nothing but system catalogues. */
    catalogOnly: false,
  },
}
