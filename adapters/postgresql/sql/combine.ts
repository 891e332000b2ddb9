import type { Resource } from '../../../core/index.ts'
import { weightiest, type Action, type Analysis, type SqlFacts, type Statement } from './analysis.ts'

/** What a text says is what its statements say together. */
export function combine(all: readonly Statement[], unknown: readonly string[]): Analysis {
  const [only] = all
  if (only !== undefined && all.length === 1) return alone(only, unknown)
  const actions = new Set<Action>(all.flatMap((part) => part.actions))
  if (all.length === 0) actions.add('session')
  return {
    statements: all,
    actions: [...actions],
    action: weightiest(actions),
    resources: mergeResources(all),
    fidelity: all.some(({ fidelity }) => fidelity === 'opaque') ? 'opaque' : 'parsed',
    opaque: [...new Set(all.flatMap(({ opaque }) => (opaque === '' ? [] : [opaque])))].join('; '),
    literals: all.some(({ literals }) => literals),
    sql: mergeFacts(all),
    syntaxError: '',
    cannotRun: false,
    unknown,
  }
}

/** Nearly every text is one statement, and then says what that says. */
function alone(statement: Statement, unknown: readonly string[]): Analysis {
  const { actions, action, resources, fidelity, opaque, literals, sql } = statement
  return { statements: [statement], actions, action, resources, fidelity, opaque, literals, sql, syntaxError: '', cannotRun: false, unknown }
}

const CHANGES_NOTHING: ReadonlySet<Action> = new Set<Action>(['transaction', 'session', 'prepare', 'explain', 'listen', 'read', 'copy-out'])

function mergeResources(all: readonly Statement[]): Resource[] {
  const merged = new Map<string, Resource>()
  for (const resource of all.flatMap(({ resources }) => resources)) {
    const key = `${resource.access} ${resource.kind} ${resource.name}`
    const before = merged.get(key)
    merged.set(key, before === undefined ? resource : { ...resource, columns: [...new Set([...before.columns, ...resource.columns])] })
  }
  return [...merged.values()]
}

/** The facts of a text are those of its statements together. */
export function mergeFacts(all: readonly Statement[]): SqlFacts {
  const facts = all.map(({ sql }) => sql)
  const list = (key: 'tables' | 'reads' | 'writes' | 'columns' | 'functions' | 'volatileFunctions' | 'foreignServers' | 'settings' | 'roles'): string[] => [...new Set(facts.flatMap((sql) => sql[key]))]
  const locks = [...new Set(facts.flatMap((sql) => sql.locks))]
  const any = (key: 'unbounded' | 'returning' | 'programs' | 'files' | 'largeObjects' | 'databaseWide' | 'countable'): boolean => facts.some((sql) => sql[key])
  return {
    statements: all.length,
    tables: list('tables'),
    reads: list('reads'),
    writes: list('writes'),
    columns: list('columns'),
    functions: list('functions'),
    volatileFunctions: list('volatileFunctions'),
    unbounded: any('unbounded'),
    countable: facts.length === 1 && any('countable'),
    returning: any('returning'),
    settings: list('settings'),
    roles: list('roles'),
    locks,
    programs: any('programs'),
    files: any('files'),
    largeObjects: any('largeObjects'),
    foreignServers: list('foreignServers'),
    databaseWide: any('databaseWide'),
    temporary: facts.some((sql) => sql.temporary) && all.every(({ actions, sql }) => sql.temporary || actions.every((action) => CHANGES_NOTHING.has(action))),
    catalogOnly: facts.length > 0 && facts.every((sql) => sql.catalogOnly),
  }
}
