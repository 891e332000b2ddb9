import type { CatalogueConnection } from '../auth/catalogue-connection.ts'
import { kindOfType, type TypeKind } from './data-class.ts'

export interface ClassifiableColumn {
  readonly name: string
  /** The base type's name; an array's is its element's. */
  readonly type: string
  readonly kind: TypeKind
  /** Name of the domain, when it is one. */
  readonly domain: string
  readonly readable: boolean
}

export interface ClassifiableTable {
  readonly schema: string
  readonly name: string
  /** Foreign tables are not sampled: reading them may cost somebody else. */
  readonly foreign: boolean
  /** Rows, as the target estimates them; 0 when it does not know. */
  readonly rows: number
  readonly columns: readonly ClassifiableColumn[]
}

const MAX_RESULT_BYTES = 128 * 1024 * 1024

/**
 * Ordinary, partitioned and foreign tables, each partition through its parent and each inherited column where it was
 * declared. Neither the system's schemas, nor what belongs to extensions, nor views (masks follow what they read).
 * PostgreSQL 13 to 18.
 */
const COLUMNS = `
WITH RECURSIVE base(declared, oid) AS (
  SELECT t.oid, t.oid FROM pg_catalog.pg_type t
  UNION ALL
  SELECT b.declared, CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.typelem END
  FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.oid
  WHERE t.typtype = 'd' OR t.typcategory = 'A' AND t.typelem <> 0
)
SELECT n.nspname, c.relname, (c.relkind = 'f')::text,
  CASE c.relkind WHEN 'p' THEN (SELECT sum(greatest(p.reltuples, 0)) FROM pg_catalog.pg_partition_tree(c.oid) l JOIN pg_catalog.pg_class p ON p.oid = l.relid WHERE l.isleaf) ELSE greatest(c.reltuples, 0) END::bigint::text,
  a.attname, t.typname, CASE WHEN d.typtype = 'd' THEN d.typname ELSE '' END,
  (pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT'))::text
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attislocal
JOIN pg_catalog.pg_type d ON d.oid = a.atttypid
JOIN base b ON b.declared = a.atttypid
JOIN pg_catalog.pg_type t ON t.oid = b.oid AND t.typtype <> 'd' AND NOT (t.typcategory = 'A' AND t.typelem <> 0)
WHERE c.relkind IN ('r', 'p', 'f') AND NOT c.relispartition AND c.relpersistence <> 't'
  AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND e.objid = c.oid AND e.deptype = 'e')
ORDER BY n.nspname, c.relname, a.attnum`

/** Rejects with `UpstreamError`. */
export async function readTables(connection: CatalogueConnection, signal?: AbortSignal): Promise<ClassifiableTable[]> {
  const rows = await connection.query(COLUMNS, { maxBytes: MAX_RESULT_BYTES, ...(signal === undefined ? {} : { signal }) })
  const tables: (ClassifiableTable & { readonly columns: ClassifiableColumn[] })[] = []
  for (const [schema, table, foreign, estimate, name, type, domain, readable] of rows) {
    let last = tables.at(-1)
    if (last === undefined || last.schema !== schema || last.name !== table) {
      last = { schema: schema ?? '', name: table ?? '', foreign: foreign === 'true', rows: Number(estimate ?? 0), columns: [] }
      tables.push(last)
    }
    last.columns.push({ name: name ?? '', type: type ?? '', kind: kindOfType(type ?? ''), domain: domain ?? '', readable: readable === 'true' })
  }
  return tables
}
