/**
 * What is read of the catalogue to say what a change reaches. `$1` is a list of relation OIDs as JSON. Run them with
 * `search_path` empty but for `pg_catalog`; PostgreSQL 13 to 18.
 */
const OIDS = '(SELECT o::pg_catalog.oid FROM pg_catalog.json_array_elements_text($1::pg_catalog.json) o)'
const columns = (relation: string, numbers: string): string => `(SELECT pg_catalog.json_agg(a.attname ORDER BY k.place)::text
    FROM pg_catalog.unnest(${numbers}) WITH ORDINALITY k (number, place)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = ${relation} AND a.attnum = k.number)`

/** Foreign keys that refer to these relations: name, child, parent, on delete, on update, columns of the child, of the parent. */
export const REFERENCES = `
SELECT c.conname, c.conrelid::text, c.confrelid::text, c.confdeltype::text, c.confupdtype::text,
  ${columns('c.conrelid', 'c.conkey')}, ${columns('c.confrelid', 'c.confkey')}
FROM pg_catalog.pg_constraint c LEFT JOIN pg_catalog.pg_constraint whole ON whole.oid = c.conparentid
WHERE c.contype = 'f' AND c.confrelid IN ${OIDS} AND (whole.oid IS NULL OR whole.conrelid = c.conrelid)
ORDER BY c.conname, c.oid LIMIT 1000`

/** Triggers of these relations that are on: relation, name, bits of \`tgtype\`, its columns, the function's schema and name. */
export const TRIGGERS = `
SELECT t.tgrelid::text, t.tgname, t.tgtype::text,
  (SELECT pg_catalog.json_agg(a.attname)::text FROM pg_catalog.pg_attribute a WHERE a.attrelid = t.tgrelid AND a.attnum = ANY (t.tgattr)),
  n.nspname, p.proname
FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND t.tgrelid IN ${OIDS}
ORDER BY t.tgname, t.oid LIMIT 1000`
