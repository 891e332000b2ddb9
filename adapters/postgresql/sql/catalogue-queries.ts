/**
 * What is read of a target's system catalogues. All values come back as text; PostgreSQL 13 to 18.
 * Run them on one connection, in this order, in one `REPEATABLE READ READ ONLY` transaction when it can be had.
 */

/** Makes PostgreSQL write every name in full when it prints a view or an expression. */
export const QUALIFY_NAMES = `SELECT pg_catalog.set_config('search_path', '', false)`

/** Major version, e.g. `18`. */
export const SERVER_MAJOR = `SELECT (pg_catalog.current_setting('server_version_num')::int / 10000)::text`

/** oid, schema, name, relkind, relpersistence, has triggers, has rules of its own, columns as JSON [[name, attnum, type, notNull, typmod], …]. */
export const RELATIONS = `
SELECT c.oid::text, n.nspname, c.relname, c.relkind::text, c.relpersistence::text, c.relhastriggers::text,
  (c.relhasrules AND EXISTS (SELECT FROM pg_catalog.pg_rewrite r WHERE r.ev_class = c.oid AND r.rulename <> '_RETURN'))::text,
  (SELECT pg_catalog.json_agg(pg_catalog.json_build_array(a.attname, a.attnum, a.atttypid::bigint, a.attnotnull, a.atttypmod) ORDER BY a.attnum)
     FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)::text
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c')`

/** Edges: `inherits` child parent; `depends` view relation. */
export const EDGES = `
SELECT 'inherits', inhrelid::text, inhparent::text FROM pg_catalog.pg_inherits
UNION ALL
SELECT DISTINCT 'depends', r.ev_class::text, d.refobjid::text
FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_depend d ON d.objid = r.oid
WHERE d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
  AND d.refobjid <> r.ev_class AND r.rulename = '_RETURN'`

/** Functions outside `pg_catalog`: schema, name, prokind, provolatile, language, part of an extension. */
export const FUNCTIONS = `
SELECT n.nspname, p.proname, p.prokind::text, p.provolatile::text, l.lanname,
  EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND d.deptype = 'e')::text
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace JOIN pg_catalog.pg_language l ON l.oid = p.prolang
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')`

/** `view` oid '' definition; `generated` oid column expression; `operator` '' name ''; `type` '' name '' for those named like a built-in one. Needs QUALIFY_NAMES first. */
export const DEFINITIONS = `
SELECT 'view', c.oid::text, '', pg_catalog.pg_get_viewdef(c.oid)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
UNION ALL
SELECT 'generated', a.attrelid::text, a.attname, pg_catalog.pg_get_expr(d.adbin, d.adrelid)
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attgenerated <> ''
UNION ALL
SELECT DISTINCT 'operator', '', o.oprname, ''
FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
WHERE n.nspname <> 'pg_catalog' AND NOT EXISTS (
  SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_operator'::pg_catalog.regclass AND d.objid = o.oid AND d.deptype = 'e')
UNION ALL
SELECT DISTINCT 'type', '', t.typname, ''
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_type b ON b.typname = t.typname AND b.typnamespace = 'pg_catalog'::pg_catalog.regnamespace
WHERE t.typnamespace <> b.typnamespace`

/**
 * A cheap sign of change: differs when any of these catalogues has other rows than before. Text without meaning.
 * Compare with the catalogue's own \`stamp\`, and load anew when they differ.
 */
export const STAMP = `
SELECT pg_catalog.concat_ws(' ',
  (SELECT pg_catalog.sum(pg_catalog.hashtextextended(concat(ctid, xmin), 0))::text FROM pg_catalog.pg_namespace),
  (SELECT pg_catalog.sum(pg_catalog.hashtextextended(concat(relname, relnamespace, relkind, relhastriggers, relhasrules, oid), 0))::text FROM pg_catalog.pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c')),
  (SELECT pg_catalog.sum(pg_catalog.hashtextextended(concat(attrelid, attname, attnum, atttypid, attisdropped), 0))::text FROM pg_catalog.pg_attribute WHERE attnum > 0),
  (SELECT pg_catalog.sum(pg_catalog.hashtextextended(concat(inhrelid, inhparent), 0))::text FROM pg_catalog.pg_inherits),
  (SELECT pg_catalog.sum(pg_catalog.hashtextextended(concat(ctid, xmin), 0))::text FROM pg_catalog.pg_rewrite),
  (SELECT pg_catalog.sum(pg_catalog.hashtextextended(concat(ctid, xmin), 0))::text FROM pg_catalog.pg_proc),
  (SELECT pg_catalog.sum(pg_catalog.hashtextextended(concat(typname, typnamespace), 0))::text FROM pg_catalog.pg_type WHERE typtype <> 'c' AND typcategory <> 'A'),
  (SELECT pg_catalog.sum(pg_catalog.hashtextextended(concat(ctid, xmin), 0))::text FROM pg_catalog.pg_operator))`
