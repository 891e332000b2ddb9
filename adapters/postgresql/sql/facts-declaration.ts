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
    /** Functions called, in the bodies of others and in triggers as well. */
    functions: [],
    /** Those of them that may change data, or answer otherwise each time; what nobody knows is among them. */
    volatileFunctions: [],
    /** An UPDATE, DELETE, MERGE or TRUNCATE that no condition on its rows restricts. */
    unbounded: false,
    /** One INSERT, UPDATE or DELETE whose rows a SELECT would find: nothing in the choice of them changes by being asked. */
    countable: false,
    returning: false,
    /** Settings changed, `search_path`; of a role, a database or the server, too; `*` for all. */
    settings: [],
    /** Roles named: taken on, made, changed, given or taken from; `*` for one that cannot be told. Going back to one's own names none. */
    roles: [],
    /** What is locked by name or on purpose: `rows` (FOR UPDATE, FOR SHARE), `tables` (LOCK), `advisory`. */
    locks: [],
    /** Starts a program on the server. */
    programs: false,
    /** Touches files of the server. */
    files: false,
    /** Reads or writes large objects. */
    largeObjects: false,
    /** Servers behind foreign tables, named in a definition or given to dblink; `*` for one that is not known. */
    foreignServers: [],
    /** Concerns the whole database or server: roles, databases, tablespaces, ALTER SYSTEM, VACUUM of everything. */
    databaseWide: false,
    /** Reads nothing but system catalogues. */
    catalogOnly: false,
    /** It makes, fills, changes, empties or drops temporary tables of its session, and changes nothing else. */
    temporary: false,
  },
}
