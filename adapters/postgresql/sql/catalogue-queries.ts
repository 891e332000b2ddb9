/**
 * What is read of a target's system catalogues. All values come back as text; PostgreSQL 13 to 18.
 * Run them on one connection, in this order, in one `REPEATABLE READ READ ONLY` transaction when it can be had.
 */

/** Makes PostgreSQL write every name in full when it prints a view or an expression; compiling these queries takes longer than running them. */
export const PREPARE_READING = `SELECT pg_catalog.set_config('search_path', '', false), pg_catalog.set_config('jit', 'off', false)`

/** Major version, e.g. `18`. */
export const SERVER_MAJOR = `SELECT (pg_catalog.current_setting('server_version_num')::int / 10000)::text`

/** oid, schema, name, relkind, relpersistence, has triggers, has rules of its own, columns as JSON [[name, attnum, type, notNull, typmod, computed when it is read], …], server of a foreign table, attribute numbers of the primary key as JSON, and those of other keys as JSON. */
export const RELATIONS = `
SELECT c.oid::text, n.nspname, c.relname, c.relkind::text, c.relpersistence::text, c.relhastriggers::text,
  (c.relhasrules AND EXISTS (SELECT FROM pg_catalog.pg_rewrite r WHERE r.ev_class = c.oid AND r.rulename <> '_RETURN'))::text,
  (SELECT pg_catalog.json_agg(pg_catalog.json_build_array(a.attname, a.attnum, a.atttypid::bigint, a.attnotnull, a.atttypmod, a.attgenerated = 'v') ORDER BY a.attnum)
     FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)::text,
  (SELECT s.srvname FROM pg_catalog.pg_foreign_table t JOIN pg_catalog.pg_foreign_server s ON s.oid = t.ftserver WHERE t.ftrelid = c.oid),
  (SELECT pg_catalog.array_to_json(k.conkey)::text FROM pg_catalog.pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'p' AND NOT k.condeferrable AND (c.relkind = 'p' OR NOT c.relhassubclass)),
  (SELECT pg_catalog.json_agg((i.indkey::int2[])[0:i.indnkeyatts - 1])::text FROM pg_catalog.pg_index i
     WHERE i.indrelid = c.oid AND i.indisunique AND NOT i.indisprimary AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
       AND (pg_catalog.to_json(i)->>'indnullsnotdistinct' = 'true' OR NOT EXISTS (
         SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1]) AND NOT a.attnotnull)))
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

/**
 * Functions that did not come with the server: schema, name, prokind, provolatile, language, part of an extension, oid, the least and
 * the most arguments of a call (-1 for any number), security definer, the CREATE FUNCTION of those in SQL and PL/pgSQL,
 * and, of an aggregate, the functions it is made of as JSON.
 */
export const FUNCTIONS = `
SELECT n.nspname, p.proname, p.prokind::text, p.provolatile::text, l.lanname,
  EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND d.deptype = 'e')::text,
  p.oid::text, (p.pronargs - p.pronargdefaults)::text, CASE WHEN p.provariadic <> 0 OR p.prokind = 'a' THEN -1 ELSE p.pronargs END::text, p.prosecdef::text,
  CASE WHEN l.lanname IN ('sql', 'plpgsql') AND p.prokind IN ('f', 'p') AND pg_catalog.length(p.prosrc) <= 65536 THEN pg_catalog.pg_get_functiondef(p.oid) END,
  (SELECT pg_catalog.json_build_array(a.aggtransfn::oid::bigint, a.aggfinalfn::oid::bigint, a.aggcombinefn::oid::bigint, a.aggserialfn::oid::bigint, a.aggdeserialfn::oid::bigint,
    a.aggmtransfn::oid::bigint, a.aggminvtransfn::oid::bigint, a.aggmfinalfn::oid::bigint)::text FROM pg_catalog.pg_aggregate a WHERE a.aggfnoid = p.oid)
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace JOIN pg_catalog.pg_language l ON l.oid = p.prolang
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') OR p.oid >= 16384`

/**
 * `view` oid '' definition; `generated` oid column expression; `checked` oid ''
 * expressions that are computed when rows are written or looked through (checks, indexes, partition keys, statistics: these as ''); `operator` function name '';
 * `type` '' name '' for those named like a built-in one; `form` type typtype (`a` for an array) what it is made of (base type, relation, element).
 * Needs PREPARE_READING first.
 */
export const DEFINITIONS = `
SELECT 'view', c.oid::text, '', pg_catalog.pg_get_viewdef(c.oid)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
UNION ALL
SELECT 'generated', a.attrelid::text, a.attname, pg_catalog.pg_get_expr(d.adbin, d.adrelid)
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attgenerated <> ''
UNION ALL
SELECT 'checked', conrelid::text, '', pg_catalog.pg_get_expr(conbin, conrelid) FROM pg_catalog.pg_constraint WHERE contype = 'c' AND conrelid <> 0
UNION ALL
SELECT 'checked', indrelid::text, '', pg_catalog.concat_ws(', ', pg_catalog.pg_get_expr(indexprs, indrelid), pg_catalog.pg_get_expr(indpred, indrelid))
FROM pg_catalog.pg_index WHERE indexprs IS NOT NULL OR indpred IS NOT NULL
UNION ALL
SELECT 'checked', partrelid::text, '', pg_catalog.pg_get_expr(partexprs, partrelid) FROM pg_catalog.pg_partitioned_table WHERE partexprs IS NOT NULL
UNION ALL
SELECT 'checked', stxrelid::text, '', '' FROM pg_catalog.pg_statistic_ext WHERE 'e' = ANY (stxkind)
UNION ALL
SELECT DISTINCT 'operator', o.oprcode::oid::text, o.oprname, ''
FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
WHERE (n.nspname <> 'pg_catalog' OR o.oid >= 16384) AND NOT EXISTS (
  SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_operator'::pg_catalog.regclass AND d.objid = o.oid AND d.deptype = 'e')
UNION ALL
SELECT DISTINCT 'type', '', t.typname, ''
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_type b ON b.typname = t.typname AND b.typnamespace = 'pg_catalog'::pg_catalog.regnamespace
WHERE t.typnamespace <> b.typnamespace
UNION ALL
SELECT 'form', oid::text, CASE WHEN typcategory = 'A' AND typtype = 'b' THEN 'a' ELSE typtype::text END, (CASE WHEN typtype = 'd' THEN typbasetype WHEN typtype = 'c' THEN typrelid ELSE typelem END)::bigint::text
FROM pg_catalog.pg_type WHERE oid >= 16384 AND (typtype IN ('d', 'c', 'e', 'r', 'm') OR (typcategory = 'A' AND typelem <> 0))`

/**
 * Code and changes that follow a statement without being named in it, for user's functions alone:
 * `trigger` relation function tgtype; `cascade` referenced referencing 'delete action, update action, numbers of the referenced columns';
 * `rule` relation '' 'event type, a space, CREATE RULE with every name in full'; Needs PREPARE_READING first;
 * `attached` relation function '' (defaults, checks of the table and of its domains, indexes, policies, partition keys, conditions of triggers);
 * `event` '' function ''; `policy` relation '' condition (of row security that is on);
 * `type` type function name, `row` relation function '', `signature` function function '', `any` '' function '': code that comes with
 * types (casts, checks and defaults of domains, operator classes) and with indexes and partitions that rows are looked up in, with all
 * that is made of them, and that converts built-in types unasked.
 */
export const FOLLOWERS = `
WITH RECURSIVE own AS (
  SELECT p.oid FROM pg_catalog.pg_proc p WHERE p.oid >= 16384 AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND d.deptype = 'e')
), code(type, function) AS (
  SELECT t.type, c.castfunc FROM pg_catalog.pg_cast c CROSS JOIN LATERAL (VALUES (c.castsource), (c.casttarget)) t(type)
  WHERE c.castfunc IN (SELECT oid FROM own) AND (t.type >= 16384 OR (t.type = c.casttarget AND c.castsource < 16384))
  UNION SELECT object.type, CASE d.refclassid WHEN 'pg_catalog.pg_proc'::pg_catalog.regclass THEN d.refobjid ELSE o.oprcode::oid END
  FROM (
    SELECT 'pg_catalog.pg_constraint'::pg_catalog.regclass AS catalog, oid AS object, contypid AS type FROM pg_catalog.pg_constraint WHERE contypid <> 0
    UNION ALL SELECT 'pg_catalog.pg_type'::pg_catalog.regclass, oid, oid FROM pg_catalog.pg_type WHERE typtype = 'd'
  ) object
  JOIN pg_catalog.pg_depend d ON d.classid = object.catalog AND d.objid = object.object
  LEFT JOIN pg_catalog.pg_operator o ON d.refclassid = 'pg_catalog.pg_operator'::pg_catalog.regclass AND o.oid = d.refobjid
  WHERE d.refclassid IN ('pg_catalog.pg_proc'::pg_catalog.regclass, 'pg_catalog.pg_operator'::pg_catalog.regclass)
  UNION SELECT r.rngtypid, f.function FROM pg_catalog.pg_range r JOIN pg_catalog.pg_opclass c ON c.oid = r.rngsubopc LEFT JOIN pg_catalog.pg_amproc p ON p.amprocfamily = c.opcfamily
  CROSS JOIN LATERAL (VALUES (p.amproc::oid), (r.rngcanonical::oid), (r.rngsubdiff::oid)) f(function)
  UNION SELECT t.type, amproc::oid FROM pg_catalog.pg_amproc CROSS JOIN LATERAL (VALUES (amproclefttype), (amprocrighttype)) t(type)
  UNION SELECT t.type, o.oprcode::oid FROM pg_catalog.pg_amop a JOIN pg_catalog.pg_operator o ON o.oid = a.amopopr CROSS JOIN LATERAL (VALUES (a.amoplefttype), (a.amoprighttype)) t(type)
), reach(type, function) AS (
  SELECT type, function FROM code WHERE function IN (SELECT oid FROM own)
  UNION SELECT made.type, r.function FROM reach r CROSS JOIN LATERAL (
    SELECT t.oid FROM pg_catalog.pg_type t WHERE t.typelem = r.type OR t.typbasetype = r.type
    UNION ALL SELECT c.reltype FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid WHERE a.atttypid = r.type AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL SELECT rngtypid FROM pg_catalog.pg_range WHERE rngsubtype = r.type
    UNION ALL SELECT d.objid FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND d.refclassid = d.classid AND d.refobjid = r.type AND d.deptype = 'i'
  ) made(type) WHERE r.type >= 16384 AND made.type >= 16384
)
SELECT 'type', t.oid::text, r.function::text, t.typname::text FROM reach r JOIN pg_catalog.pg_type t ON t.oid = r.type
UNION ALL
SELECT 'row', c.oid::text, r.function::text, '' FROM reach r JOIN pg_catalog.pg_class c ON c.reltype = r.type WHERE r.type >= 16384
UNION ALL
SELECT 'signature', p.oid::text, r.function::text, '' FROM reach r JOIN pg_catalog.pg_proc p ON p.oid >= 16384 AND (p.prorettype = r.type OR r.type = ANY (p.proargtypes) OR r.type = ANY (p.proallargtypes)) WHERE r.type >= 16384
UNION ALL
SELECT 'any', '', castfunc::text, '' FROM pg_catalog.pg_cast WHERE castsource < 16384 AND casttarget < 16384 AND castcontext IN ('a', 'i') AND castfunc IN (SELECT oid FROM own)
UNION ALL
SELECT 'policy', p.polrelid::text, '', pg_catalog.concat_ws(' AND ', '(' || pg_catalog.pg_get_expr(p.polqual, p.polrelid) || ')', '(' || pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) || ')')
FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_class c ON c.oid = p.polrelid WHERE c.relrowsecurity
UNION ALL
SELECT 'trigger', tgrelid::text, tgfoid::text, tgtype::text FROM pg_catalog.pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'
UNION ALL
SELECT DISTINCT 'cascade', confrelid::text, conrelid::text, pg_catalog.concat(confdeltype, confupdtype, pg_catalog.array_to_string(confkey, ',')) FROM pg_catalog.pg_constraint WHERE contype = 'f'
UNION ALL
SELECT DISTINCT 'attached', owner.relation::text, CASE d.refclassid WHEN 'pg_catalog.pg_proc'::pg_catalog.regclass THEN d.refobjid ELSE o.oprcode::oid END::text, ''
FROM (
  SELECT 'pg_catalog.pg_attrdef'::pg_catalog.regclass AS catalog, oid AS object, adrelid AS relation FROM pg_catalog.pg_attrdef
  UNION ALL SELECT 'pg_catalog.pg_constraint'::pg_catalog.regclass, oid, conrelid FROM pg_catalog.pg_constraint WHERE conrelid <> 0
  UNION ALL SELECT 'pg_catalog.pg_constraint'::pg_catalog.regclass, k.oid, a.attrelid FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_attribute a ON a.atttypid = k.contypid WHERE k.contypid <> 0
  UNION ALL SELECT 'pg_catalog.pg_type'::pg_catalog.regclass, t.oid, a.attrelid FROM pg_catalog.pg_type t JOIN pg_catalog.pg_attribute a ON a.atttypid = t.oid WHERE t.typtype = 'd'
  UNION ALL SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, indexrelid, indrelid FROM pg_catalog.pg_index
  UNION ALL SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, partrelid, partrelid FROM pg_catalog.pg_partitioned_table
  UNION ALL SELECT 'pg_catalog.pg_policy'::pg_catalog.regclass, oid, polrelid FROM pg_catalog.pg_policy
) owner
JOIN pg_catalog.pg_depend d ON d.classid = owner.catalog AND d.objid = owner.object
LEFT JOIN pg_catalog.pg_operator o ON d.refclassid = 'pg_catalog.pg_operator'::pg_catalog.regclass AND o.oid = d.refobjid
WHERE d.refclassid IN ('pg_catalog.pg_proc'::pg_catalog.regclass, 'pg_catalog.pg_operator'::pg_catalog.regclass)
UNION ALL
SELECT 'rule', ev_class::text, '', pg_catalog.concat(ev_type, ' ', pg_catalog.pg_get_ruledef(oid)) FROM pg_catalog.pg_rewrite WHERE ev_type <> '1' AND ev_enabled <> 'D'
UNION ALL
SELECT DISTINCT part.kind, key.relation::text, p.amproc::oid::text, ''
FROM (
  SELECT indrelid, indclass::oid[] FROM pg_catalog.pg_index UNION ALL SELECT partrelid, partclass::oid[] FROM pg_catalog.pg_partitioned_table
) key(relation, classes)
CROSS JOIN LATERAL pg_catalog.unnest(key.classes) k(class) JOIN pg_catalog.pg_opclass c ON c.oid = k.class
JOIN pg_catalog.pg_amproc p ON p.amprocfamily = c.opcfamily CROSS JOIN (VALUES ('attached'), ('row')) part(kind) WHERE p.amproc::oid IN (SELECT oid FROM own)
UNION ALL
SELECT DISTINCT 'attached', t.tgrelid::text, d.refobjid::text, ''
FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_trigger'::pg_catalog.regclass AND d.objid = t.oid
WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.refobjid <> t.tgfoid
UNION ALL
SELECT 'event', '', evtfoid::text, '' FROM pg_catalog.pg_event_trigger WHERE evtenabled <> 'D'`

/**
 * A cheap sign of change: differs when any of these catalogues has other rows than before. Text without meaning.
 * Compare with the catalogue's own \`stamp\`, and load anew when they differ.
 */
export const STAMP = `
SELECT pg_catalog.concat_ws(' ',
  (SELECT pg_catalog.sum(pg_catalog.hashtextextended(concat(ctid, xmin), 0))::text FROM pg_catalog.pg_namespace),
  (SELECT pg_catalog.sum(pg_catalog.hashtextextended(concat(relname, relnamespace, relkind, relhastriggers, relhasrules, oid), 0))::text FROM pg_catalog.pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c')),
  (SELECT pg_catalog.sum(pg_catalog.hashtextextended(concat(attrelid, attname, attnum, atttypid, attisdropped, attnotnull), 0))::text FROM pg_catalog.pg_attribute WHERE attnum > 0),
  (SELECT pg_catalog.sum(pg_catalog.hashtextextended(concat(inhrelid, inhparent), 0))::text FROM pg_catalog.pg_inherits),
  (SELECT pg_catalog.sum(pg_catalog.hashtextextended(concat(ctid, xmin), 0))::text FROM pg_catalog.pg_rewrite),
  (SELECT pg_catalog.sum(pg_catalog.hashtextextended(concat(ctid, xmin), 0))::text FROM pg_catalog.pg_proc),
  (SELECT pg_catalog.sum(pg_catalog.hashtextextended(concat(typname, typnamespace), 0))::text FROM pg_catalog.pg_type WHERE typtype <> 'c' AND typcategory <> 'A'),
  (SELECT pg_catalog.sum(pg_catalog.hashtextextended(concat(ctid, xmin), 0))::text FROM pg_catalog.pg_operator),
  (SELECT pg_catalog.sum(pg_catalog.hashtextextended(concat(ctid, xmin), 0))::text FROM pg_catalog.pg_trigger),
  (SELECT pg_catalog.sum(pg_catalog.hashtextextended(concat(ctid, xmin), 0))::text FROM pg_catalog.pg_constraint),
  (SELECT pg_catalog.sum(pg_catalog.hashtextextended(concat(ctid, xmin), 0))::text FROM pg_catalog.pg_attrdef),
  (SELECT pg_catalog.sum(pg_catalog.hashtextextended(concat(ctid, xmin), 0))::text FROM pg_catalog.pg_index WHERE indisunique OR indexprs IS NOT NULL OR indpred IS NOT NULL OR 16384 <= ANY (indclass::oid[])),
  (SELECT pg_catalog.sum(pg_catalog.hashtextextended(concat(ctid, xmin), 0))::text FROM pg_catalog.pg_policy),
  (SELECT pg_catalog.sum(pg_catalog.hashtextextended(concat(oid, relrowsecurity), 0))::text FROM pg_catalog.pg_class WHERE relrowsecurity),
  (SELECT pg_catalog.sum(pg_catalog.hashtextextended(concat(ctid, xmin), 0))::text FROM pg_catalog.pg_cast),
  (SELECT pg_catalog.sum(pg_catalog.hashtextextended(concat(ctid, xmin), 0))::text FROM pg_catalog.pg_amproc),
  (SELECT pg_catalog.sum(pg_catalog.hashtextextended(concat(ctid, xmin), 0))::text FROM pg_catalog.pg_event_trigger))`
