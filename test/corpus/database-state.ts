/** What a database and its server hold, as one text: two that are equal mean that nothing was changed in between. */
import type { PostgresServer } from '../support/postgres-server.ts'

/** Catalogues that hold what can be made, changed or dropped, without the columns that change by themselves. */
const CATALOGUES: Readonly<Record<string, string>> = {
  pg_class: 'oid, relname, relnamespace, relowner, relacl, relkind, relfilenode, reloptions, relrowsecurity, relreplident',
  pg_attribute: 'attrelid, attname, attnum, atttypid, attnotnull, attacl, attisdropped',
  pg_proc: 'oid, proname, pronamespace, prosrc, proowner, proacl',
  pg_namespace: 'oid, nspname, nspowner, nspacl',
  pg_trigger: 'oid, tgname, tgrelid, tgenabled',
  pg_rewrite: 'oid, rulename, ev_class, ev_enabled, md5(ev_action::text)',
  pg_constraint: 'oid, conname, conrelid', pg_type: 'oid, typname, typnamespace', pg_operator: 'oid, oprname', pg_cast: 'oid, castsource',
  pg_extension: 'oid, extname', pg_language: 'oid, lanname', pg_event_trigger: 'oid, evtname', pg_publication: 'oid, pubname', pg_policy: 'oid, polname',
  pg_foreign_data_wrapper: 'oid, fdwname', pg_foreign_server: 'oid, srvname', pg_user_mapping: 'oid', pg_foreign_table: 'ftrelid',
  pg_description: 'objoid, description', pg_seclabel: 'objoid', pg_default_acl: 'oid', pg_largeobject_metadata: 'oid, lomowner, lomacl, md5(lo_get(oid))', pg_statistic_ext: 'oid, stxname',
  pg_authid: 'rolname, rolsuper, rolcanlogin, rolpassword, rolvaliduntil', pg_auth_members: 'roleid, member', pg_db_role_setting: 'setdatabase, setrole, setconfig',
  pg_tablespace: 'spcname, spcowner', pg_collation: 'oid, collname', pg_conversion: 'oid', pg_ts_config: 'oid', pg_am: 'oid', pg_sequences: 'sequencename, last_value',
  pg_prepared_xacts: 'gid', pg_replication_slots: 'slot_name', pg_replication_origin: 'roname',
}

/** Temporary tables go with their session; toast tables and statistics follow what is looked at anyway. */
const UNSTABLE = `(select oid from pg_namespace where nspname ~ '^pg_(toast|temp)')`
/** What came with the server has numbers below this; it makes up nine tenths of the catalogues. */
const OWN = 16_384
const OUTSIDE: Readonly<Record<string, string>> = {
  pg_class: `where oid >= ${OWN} and relnamespace not in ${UNSTABLE}`,
  pg_attribute: `where attrelid >= ${OWN} and attrelid in (select oid from pg_class where relnamespace not in ${UNSTABLE})`,
  pg_type: `where oid >= ${OWN} and typnamespace not in ${UNSTABLE}`,
  pg_namespace: `where nspname !~ '^pg_(toast|temp)'`,
  pg_description: `where objoid >= ${OWN}`,
  ...Object.fromEntries(['pg_proc', 'pg_rewrite', 'pg_constraint', 'pg_operator', 'pg_cast', 'pg_collation', 'pg_conversion', 'pg_ts_config'].map((name) => [name, `where oid >= ${OWN}`])),
}

const catalogue = (name: string): string => `(select md5(coalesce(string_agg((c.*)::text, e'\\n' order by (c.*)::text), '')) from (select ${CATALOGUES[name]} from ${name} ${OUTSIDE[name] ?? ''}) c) as ${name}`

const STATE = `select ${Object.keys(CATALOGUES).map(catalogue).join(',\n')},
  (select array_agg(datname::text || datallowconn || datconnlimit order by 1) from pg_database where datname !~ '^(shop|twin)_') as databases,
  (select md5(string_agg(t.oid || query_to_xml(format('select * from %s', t.oid::regclass), true, true, '')::text, '' order by t.oid))
   from pg_class t where relkind in ('r', 'm') and relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace) and relnamespace not in ${UNSTABLE}) as rows,
  pg_read_file('postgresql.auto.conf', true) as settings`

export async function databaseState(postgres: PostgresServer, database: string): Promise<string> {
  return JSON.stringify(await postgres.query(STATE, database))
}
