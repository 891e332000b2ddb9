import type { AlterDomainStmt, AlterTableStmt, Constraint, CreateFunctionStmt, CreateSchemaStmt, CreateStmt, DropStmt, GrantStmt, Node, ObjectType, RangeVar, RefreshMatViewStmt, RoleSpec, TruncateStmt } from 'libpg-query'
import type { Action, Redefinition } from './analysis.ts'
import { isTree, nodeType, qualifiedName, stringsOf, stringOf, type Tree } from './ast.ts'
import type { AnalysisContext } from './collector.ts'
import { expression } from './expression.ts'
import { follow, runHidden, truncateReferencing } from './followers.ts'
import { made, touchAll } from './from-clause.ts'
import { DEFINITION, FOREIGN_KEY } from './place.ts'
import { isTemporary, tableOfColumns, temporaryNamed } from './temporary-table.ts'
import { lookUp, relationItem, type Named } from './relation-item.ts'
import { TOP, type Walk } from './walk.ts'

/** What kind of statement a definition is. */
interface Definition {
  readonly actions: readonly Action[]
  /** How its relations are used: `define` changes what they are, `maintain` keeps their columns as they are. */
  readonly use?: 'define' | 'maintain'
  readonly databaseWide?: boolean
  /** Under a mask it must not run: it makes a way to data that is not followed. */
  readonly opens?: string
}

const CREATE: Definition = { actions: ['create'] }
const ALTER: Definition = { actions: ['alter'] }
const MAINTAIN: Definition = { actions: ['admin'], use: 'maintain' }
const SERVER: Definition = { actions: ['admin'], databaseWide: true }
const creates = (opens: string): Definition => ({ actions: ['create'], opens })
const alters = (opens: string): Definition => ({ actions: ['alter'], opens })
const CODE = 'it stores code that may read any table'
const FOREIGN = 'it opens a way to another server'
const REPLICATION = 'it sends rows to another server'

const DEFINITIONS: Readonly<Record<string, Definition>> = {
  AlterCollationStmt: ALTER, AlterDefaultPrivilegesStmt: { actions: ['grant'] }, AlterDomainStmt: ALTER, AlterEnumStmt: ALTER,
  AlterEventTrigStmt: SERVER, AlterExtensionContentsStmt: alters(CODE), AlterExtensionStmt: alters(CODE), AlterFunctionStmt: alters(CODE),
  AlterObjectDependsStmt: ALTER, AlterObjectSchemaStmt: ALTER, AlterOpFamilyStmt: alters(CODE), AlterOperatorStmt: alters(CODE),
  AlterOwnerStmt: ALTER, AlterPolicyStmt: ALTER, AlterSeqStmt: ALTER, AlterStatsStmt: ALTER, AlterTSConfigurationStmt: ALTER,
  AlterTSDictionaryStmt: ALTER, AlterTableStmt: ALTER, AlterTableMoveAllStmt: { ...ALTER, databaseWide: true }, AlterTypeStmt: ALTER,
  CommentStmt: { ...ALTER, use: 'maintain' }, RenameStmt: ALTER, SecLabelStmt: { ...ALTER, use: 'maintain' },
  CompositeTypeStmt: CREATE, CreateAmStmt: creates(CODE), CreateCastStmt: creates(CODE), CreateConversionStmt: creates(CODE),
  CreateDomainStmt: CREATE, CreateEnumStmt: CREATE, CreateEventTrigStmt: { ...creates(CODE), databaseWide: true },
  CreateExtensionStmt: creates(CODE), CreateFunctionStmt: creates(CODE), CreateOpClassStmt: creates(CODE), CreateOpFamilyStmt: creates(CODE),
  CreatePLangStmt: creates(CODE), CreatePolicyStmt: CREATE, CreateRangeStmt: creates(CODE), CreateSchemaStmt: CREATE, CreateSeqStmt: CREATE,
  CreateStatsStmt: CREATE, CreateStmt: CREATE, CreateTransformStmt: creates(CODE), CreateTrigStmt: creates(CODE), DefineStmt: creates(CODE),
  IndexStmt: CREATE, RuleStmt: creates(CODE),
  CreateForeignTableStmt: creates(FOREIGN), CreateFdwStmt: creates(FOREIGN), CreateForeignServerStmt: creates(FOREIGN),
  CreateUserMappingStmt: creates(FOREIGN), ImportForeignSchemaStmt: creates(FOREIGN), AlterFdwStmt: alters(FOREIGN),
  AlterForeignServerStmt: alters(FOREIGN), AlterUserMappingStmt: alters(FOREIGN), DropUserMappingStmt: { actions: ['drop'] },
  CreatePublicationStmt: creates(REPLICATION), AlterPublicationStmt: alters(REPLICATION), CreateSubscriptionStmt: creates(REPLICATION),
  AlterSubscriptionStmt: alters(REPLICATION), DropSubscriptionStmt: { actions: ['drop'] },
  CreatedbStmt: { actions: ['create'], databaseWide: true, opens: 'it copies a whole database' },
  DropdbStmt: { actions: ['drop'], databaseWide: true }, DropTableSpaceStmt: { actions: ['drop'], databaseWide: true },
  AlterDatabaseStmt: SERVER, AlterDatabaseSetStmt: SERVER, AlterDatabaseRefreshCollStmt: SERVER, CreateTableSpaceStmt: SERVER,
  AlterTableSpaceOptionsStmt: SERVER, CreateRoleStmt: SERVER, AlterRoleStmt: SERVER, AlterRoleSetStmt: SERVER, DropRoleStmt: SERVER,
  AlterSystemStmt: { ...SERVER, opens: 'it changes the server' }, LoadStmt: { ...SERVER, opens: CODE }, CheckPointStmt: SERVER,
  ReassignOwnedStmt: SERVER, DropOwnedStmt: { actions: ['drop'], databaseWide: true },
  VacuumStmt: MAINTAIN, ClusterStmt: { actions: ['admin'] }, ReindexStmt: MAINTAIN, RefreshMatViewStmt: { actions: ['update'], use: 'maintain' },
  LockStmt: { actions: ['lock'], use: 'maintain' }, TruncateStmt: { actions: ['truncate'], use: 'maintain' },
  GrantStmt: { actions: ['grant'], use: 'maintain' }, GrantRoleStmt: { actions: ['grant'], databaseWide: true }, DropStmt: { actions: ['drop'], use: 'maintain' },
}

/** DDL and maintenance. `stored` follows a statement that is kept for later. False when the node is none of them. */
export function define(node: Node, walk: Walk, stored: (node: Node) => void): boolean {
  const type = nodeType(node as unknown as Tree) ?? ''
  const definition = DEFINITIONS[type]
  if (definition === undefined) return false
  for (const action of definition.actions) walk.found.act(action)
  if (definition.databaseWide === true || isEverything(node)) walk.found.flag('databaseWide')
  if (definition.opens !== undefined) walk.found.untraced(definition.opens)
  special(node, walk)
  const redefines = redefinition(node, definition, walk)
  if (redefines !== undefined) walk.found.effects.redefines = redefines
  if ('CreateStmt' in node && redefines?.creates !== '' && isTemporary(node.CreateStmt.relation ?? {})) makesTemporary(node.CreateStmt, walk)
  const body = (node as unknown as Record<string, Tree>)[type] ?? {}
  if ('CreateStmt' in node && node.CreateStmt.relation !== undefined) made(node.CreateStmt.relation, walk)
  parts('CreateStmt' in node ? { ...body, relation: undefined } : body, definition.use ?? 'define', walk, stored, COMPUTING.has(type))
  return true
}

/** Defaults of new columns, checks and index expressions are computed at once, for the rows that are there. */
const COMPUTING = new Set(['AlterTableStmt', 'AlterDomainStmt', 'IndexStmt'])

function makesTemporary(statement: CreateStmt, { found }: Walk): void {
  found.flag('makesTemporary')
  const { relation, if_not_exists } = statement
  const columns = columnNames(statement, found.context)
  if (if_not_exists !== true && relation?.relname !== undefined && columns !== undefined) found.changesTemporary({ temporary: tableOfColumns(relation.relname, columns) })
}

/** In their order; `undefined` when it is made like a table that is not known, or whose defaults, checks and indexes run code. */
function columnNames({ tableElts = [] }: CreateStmt, context: AnalysisContext): string[] | undefined {
  const names: string[] = []
  for (const element of tableElts) {
    if ('ColumnDef' in element) names.push(element.ColumnDef.colname ?? '')
    if (!('TableLikeClause' in element)) continue
    const [like, ...others] = lookUp(element.TableLikeClause.relation ?? {}, context).relations
    if (like === undefined || others.length > 0 || like.open === true || (context.resolver?.followers(like)?.attached.length ?? 0) > 0) return undefined
    names.push(...like.columns.map(({ name }) => name))
  }
  return names
}

const NAMES_ONLY: Redefinition = { code: false, creates: '' }
/** They make or change what has a name and runs nothing. */
const NAMED_ONLY = ['IndexStmt', 'CreateSeqStmt', 'AlterSeqStmt', 'CreateStatsStmt', 'AlterStatsStmt', 'CreateEnumStmt', 'AlterEnumStmt', 'CompositeTypeStmt']

function redefinition(node: Node, { actions }: Definition, walk: Walk): Redefinition | undefined {
  if (!actions.some((action) => action === 'create' || action === 'alter' || action === 'drop') || 'CommentStmt' in node) return undefined
  if ('CreateStmt' in node) return isPlain(node.CreateStmt, walk) ? { code: false, creates: node.CreateStmt.relation?.relname ?? '' } : { code: true, creates: '' }
  if (NAMED_ONLY.some((type) => type in node)) return NAMES_ONLY
  if ('AlterTableStmt' in node && shapesOnly(node.AlterTableStmt, walk)) return NAMES_ONLY
  if ('CreateSchemaStmt' in node && node.CreateSchemaStmt.schemaElts === undefined) return NAMES_ONLY
  if ('DropStmt' in node && node.DropStmt.removeType !== undefined && RELATION_OBJECTS.has(node.DropStmt.removeType)) return NAMES_ONLY
  const routines = routinesOf(node)
  return routines === undefined ? { code: true, creates: '' } : { ...NAMES_ONLY, routines }
}

/** The functions that are made, changed or dropped, by name; `undefined` when it is something else. */
function routinesOf(node: Node): string[] | undefined {
  if ('CreateFunctionStmt' in node) return [qualifiedName(node.CreateFunctionStmt.funcname).name]
  if ('AlterFunctionStmt' in node) return [qualifiedName(node.AlterFunctionStmt.func?.objname).name]
  if (!('DropStmt' in node) || !ROUTINES.has(node.DropStmt.removeType ?? '') || node.DropStmt.behavior === 'DROP_CASCADE') return undefined
  return (node.DropStmt.objects ?? []).flatMap((object) => ('ObjectWithArgs' in object ? [qualifiedName(object.ObjectWithArgs.objname).name] : []))
}

const ROUTINES: ReadonlySet<string> = new Set(['OBJECT_FUNCTION', 'OBJECT_PROCEDURE', 'OBJECT_ROUTINE', 'OBJECT_AGGREGATE'])

const RUNS_NOTHING = new Set([
  'AT_AddColumn', 'AT_DropColumn', 'AT_ColumnDefault', 'AT_SetNotNull', 'AT_DropNotNull', 'AT_AlterColumnType', 'AT_SetStatistics', 'AT_SetStorage', 'AT_DropConstraint',
  'AT_SetRelOptions', 'AT_ResetRelOptions', 'AT_SetOptions', 'AT_ResetOptions', 'AT_SetCompression', 'AT_ClusterOn', 'AT_DropCluster', 'AT_SetLogged', 'AT_SetUnLogged',
  'AT_SetTableSpace', 'AT_SetAccessMethod', 'AT_ReplicaIdentity', 'AT_ValidateConstraint',
])

/** Columns come and go, and nothing new runs when rows are written. */
function shapesOnly({ cmds, objtype }: AlterTableStmt, walk: Walk): boolean {
  if (objtype !== 'OBJECT_TABLE' || !computesOnly(cmds, walk)) return false
  return (cmds ?? []).every((command) => 'AlterTableCmd' in command && RUNS_NOTHING.has(command.AlterTableCmd.subtype ?? ''))
}

/** A table of its own: no partition or heir, nothing that runs when it is written, no foreign key that makes others' rows move its own. */
function isPlain(statement: CreateStmt, walk: Walk): boolean {
  const { inhRelations, partbound, partspec, ofTypename, tableElts } = statement
  return [inhRelations, partbound, partspec, ofTypename].every((part) => part === undefined) && computesOnly(tableElts, walk) && columnNames(statement, walk.found.context) !== undefined
}

/** Whether defaults and checks compute values, and nothing of somebody's own runs with them; no foreign key moves others' rows. */
function computesOnly(elements: readonly Node[] | undefined, walk: Walk): boolean {
  if (JSON.stringify(elements ?? []).includes('"CONSTR_FOREIGN"')) return false
  const probe = walk.probe()
  expression(elements, TOP, DEFINITION, probe)
  return probe.found.onlyComputes
}

/** VACUUM, CLUSTER and REINDEX that name no table. */
function isEverything(node: Node): boolean {
  if ('VacuumStmt' in node) return node.VacuumStmt.rels === undefined
  if ('ClusterStmt' in node) return node.ClusterStmt.relation === undefined
  return 'ReindexStmt' in node && node.ReindexStmt.relation === undefined
}

function special(node: Node, walk: Walk): void {
  if ('TruncateStmt' in node) truncate(node.TruncateStmt, walk)
  else for (const entry of walk.found.context.resolver?.eventTriggers() ?? []) runHidden(entry, walk)
  if ('LockStmt' in node) walk.found.lock('tables')
  if ('LoadStmt' in node || 'CreateTableSpaceStmt' in node || ('CreateFunctionStmt' in node && isLibrary(node.CreateFunctionStmt))) walk.found.flag('files')
  if ('RefreshMatViewStmt' in node) refresh(node.RefreshMatViewStmt, walk)
  if ('AlterDomainStmt' in node && looksAtValues(node.AlterDomainStmt)) walk.found.untraced('whether it succeeds tells of every value of the domain')
  if ('DropStmt' in node) drop(node.DropStmt, walk)
  const dropsTemporary = 'DropStmt' in node ? dropsOwn(node.DropStmt, walk) : undefined
  if (dropsTemporary !== undefined) walk.found.changesTemporary({ dropsTemporary })
  if ('DropOwnedStmt' in node) walk.found.hidden('it drops what it does not name')
  if ('AlterTableMoveAllStmt' in node) walk.found.hidden('it changes tables that it does not name')
  if ('AlterTableStmt' in node) for (const command of node.AlterTableStmt.cmds ?? []) if ('AlterTableCmd' in command) cascade(command.AlterTableCmd.behavior, walk)
  if ('CommentStmt' in node || 'SecLabelStmt' in node) described('CommentStmt' in node ? node.CommentStmt : node.SecLabelStmt, walk)
  if ('GrantStmt' in node) grant(node.GrantStmt, walk)
  if ('RenameStmt' in node && node.RenameStmt.renameType === 'OBJECT_SCHEMA') walk.found.untraced('renaming a schema takes its tables away from their masks')
  if ('CreateRoleStmt' in node) walk.found.role(node.CreateRoleStmt.role)
  if ('GrantRoleStmt' in node) for (const role of node.GrantRoleStmt.granted_roles ?? []) if ('AccessPriv' in role) walk.found.role(role.AccessPriv.priv_name)
  if ('CreateSchemaStmt' in node) elements(node.CreateSchemaStmt, walk)
  outside(node, walk)
  const name = objectName(node)
  if (name !== undefined) walk.found.object(...name)
}

/** Its code is in a file of the server. */
function isLibrary({ options }: CreateFunctionStmt): boolean {
  return (options ?? []).some((option) => 'DefElem' in option && option.DefElem.defname === 'language' && stringOf(option.DefElem.arg)?.toLowerCase() === 'c')
}

/** What is new in a materialized view comes from its query, and the functions that it calls run now. WITH NO DATA leaves it empty. */
function refresh({ relation, skipData }: RefreshMatViewStmt, walk: Walk): void {
  if (skipData === true) {
    walk.found.act('truncate')
    walk.found.flag('unbounded')
  }
  if (relation === undefined || skipData === true) return
  for (const each of lookUp(relation, walk.found.context).relations) if (each.kind === 'materialized-view') walk.view(each)
}

/** A constraint that is added or validated, NOT NULL: of each column of the domain's type. */
function looksAtValues({ subtype, def }: AlterDomainStmt): boolean {
  const later = def !== undefined && 'Constraint' in def && def.Constraint.skip_validation === true
  return subtype === 'O' || subtype === 'V' || (subtype === 'C' && !later)
}

/** What is made together with its schema is in it, whatever the search path says. */
function elements({ schemaname = '', schemaElts }: CreateSchemaStmt, walk: Walk): void {
  for (const part of schemaElts ?? []) {
    if ('ViewStmt' in part) made({ schemaname, ...part.ViewStmt.view }, walk)
    if ('CreateStmt' in part) made({ schemaname, ...part.CreateStmt.relation }, walk)
  }
}

/** CASCADE takes away what the statement does not name; of tables and views, what stands on them is known. */
function cascade(value: unknown, walk: Walk): void {
  if (value !== 'DROP_CASCADE') return
  walk.found.hidden('CASCADE drops what it does not name')
}

/** Settings that hold a command, or name code to load. */
function startsProgram(setting: unknown): boolean {
  return typeof setting === 'string' && /_command$|_libraries$|^archive_library$|^jit_provider$|^dynamic_library_path$|^extension_control_path$/i.test(setting)
}

/** Other servers, large objects, and settings of roles, databases and the server. */
function outside(node: Node, { found }: Walk): void {
  const [body = {}] = Object.values(node) as Tree[]
  if (typeof body['servername'] === 'string') found.server(body['servername'])
  if ('ImportForeignSchemaStmt' in node) found.server(node.ImportForeignSchemaStmt.server_name ?? '*')
  if ('CreateSubscriptionStmt' in node || 'AlterSubscriptionStmt' in node) found.server('*')
  const kinds = [body['objtype'], body['objectType'], body['removeType']]
  if (kinds.includes('OBJECT_LARGEOBJECT')) found.flag('largeObjects')
  if (kinds.includes('OBJECT_FOREIGN_SERVER')) for (const server of namesIn(body['objects'])) found.server(server)
  const { setstmt } = body
  if (isTree(setstmt) && startsProgram(setstmt['name'])) found.flag('programs')
  if (isTree(setstmt)) found.namedSetting(typeof setstmt['name'] === 'string' ? setstmt['name'].toLowerCase() : '*')
}

function namesIn(nodes: unknown): string[] {
  return Array.isArray(nodes) ? stringsOf(nodes as Node[]) : []
}

function truncate({ relations, behavior }: TruncateStmt, walk: Walk): void {
  walk.found.flag('unbounded')
  for (const node of relations ?? []) {
    if (!('RangeVar' in node)) continue
    const named = lookUp(node.RangeVar, walk.found.context)
    if (behavior === 'DROP_CASCADE') truncateReferencing(named, walk)
    else follow(named, 'truncate', walk)
  }
}

function objectName(node: Node): [kind: string, name: string] | undefined {
  if ('CreateSchemaStmt' in node) return ['schema', node.CreateSchemaStmt.schemaname ?? '']
  if ('CreatedbStmt' in node) return ['database', node.CreatedbStmt.dbname ?? '']
  if ('DropdbStmt' in node) return ['database', node.DropdbStmt.dbname ?? '']
  if ('AlterDatabaseStmt' in node) return ['database', node.AlterDatabaseStmt.dbname ?? '']
  if ('CreateExtensionStmt' in node) return ['extension', node.CreateExtensionStmt.extname ?? '']
  if ('CreateFunctionStmt' in node) return ['function', dotted(node.CreateFunctionStmt.funcname)]
  if ('RenameStmt' in node && node.RenameStmt.renameType === 'OBJECT_SCHEMA') return ['schema', node.RenameStmt.subname ?? '']
  return undefined
}

function dotted(names: readonly Node[] | undefined): string {
  return stringsOf(names).join('.')
}

const RELATION_OBJECTS: ReadonlySet<ObjectType> = new Set<ObjectType>(['OBJECT_TABLE', 'OBJECT_VIEW', 'OBJECT_MATVIEW', 'OBJECT_SEQUENCE', 'OBJECT_FOREIGN_TABLE'])
/** Named as `table.name`: the last part belongs to the table before it. */
const PARTS_OF_TABLES: ReadonlySet<ObjectType> = new Set<ObjectType>(['OBJECT_TRIGGER', 'OBJECT_RULE', 'OBJECT_POLICY', 'OBJECT_COLUMN', 'OBJECT_TABCONSTRAINT'])

/** Tables that its transaction has made, and no others. */
function dropsOwn({ removeType, objects = [], behavior }: DropStmt, { found }: Walk): readonly string[] | undefined {
  const names = objects.map((object) => qualifiedName('List' in object ? object.List.items : undefined))
  const own = names.every(({ schema, name }) => temporaryNamed({ relname: name, ...(schema === undefined ? {} : { schemaname: schema }) }, found.context) !== undefined)
  return removeType === 'OBJECT_TABLE' && behavior !== 'DROP_CASCADE' && own ? names.map(({ name }) => name) : undefined
}

function drop({ removeType, objects, behavior }: DropStmt, walk: Walk): void {
  if (removeType === undefined || !RELATION_OBJECTS.has(removeType)) cascade(behavior, walk)
  for (const object of objects ?? []) {
    const names = 'List' in object ? (object.List.items ?? []) : [object]
    if (removeType !== undefined && RELATION_OBJECTS.has(removeType)) dropDependents(relationByName(names, walk), walk)
    else if (removeType !== undefined && PARTS_OF_TABLES.has(removeType)) relationByName(names.slice(0, -1), walk)
    else walk.found.object((removeType ?? '').replace('OBJECT_', '').toLowerCase().replaceAll('_', ' '), droppedName(object, names))
  }
}

/** COMMENT and SECURITY LABEL name a table, or something of one, as they name anything else. */
function described({ objtype, object }: { readonly objtype?: ObjectType; readonly object?: Node }, walk: Walk): void {
  if (objtype === undefined || object === undefined || !('List' in object)) return
  const names = object.List.items ?? []
  if (RELATION_OBJECTS.has(objtype)) relationByName(names, walk)
  else if (PARTS_OF_TABLES.has(objtype)) relationByName(names.slice(0, -1), walk)
}

function droppedName(object: Node, names: readonly Node[]): string {
  if ('ObjectWithArgs' in object) return dotted(object.ObjectWithArgs.objname)
  if ('TypeName' in object) return dotted(object.TypeName.names)
  return stringOf(object) ?? dotted(names)
}

function relationByName(names: readonly Node[], walk: Walk): Named {
  const { schema, name } = qualifiedName(names)
  const range: RangeVar = schema === undefined ? { relname: name } : { schemaname: schema, relname: name }
  const named = lookUp(range, walk.found.context)
  touchAll(named, 'maintain', walk)
  return named
}

/** Dropped with CASCADE, a table or view takes the views along that read it. */
function dropDependents({ relations }: Named, walk: Walk): void {
  for (const { oid } of relations) {
    for (const dependent of walk.found.context.resolver?.dependents(oid) ?? []) walk.found.change(dependent)
  }
}

function grant({ objtype, objects }: GrantStmt, walk: Walk): void {
  if (objtype === 'OBJECT_DATABASE') walk.found.flag('databaseWide')
  for (const object of objects ?? []) {
    const name = stringOf(object)
    if (name !== undefined) walk.found.object((objtype ?? '').replace('OBJECT_', '').toLowerCase(), name)
  }
}

/** Everything inside a definition: the relations it names, the roles, the expressions and queries it keeps. */
function parts(value: unknown, use: 'define' | 'maintain', walk: Walk, stored: (node: Node) => void, computing: boolean): void {
  if (Array.isArray(value)) {
    for (const part of value) parts(part, use, walk, stored, computing)
    return
  }
  if (!isTree(value)) return
  walk.budget.enter()
  part(value, use, walk, stored, computing)
  walk.budget.leave()
}

const STORED = new Set(['SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt', 'ViewStmt', 'NotifyStmt'])
const EXPRESSIONS = new Set(['FuncCall', 'SubLink', 'A_Expr', 'TypeCast', 'CoalesceExpr', 'CaseExpr', 'BoolExpr', 'ColumnRef'])

function part(value: Tree, use: 'define' | 'maintain', walk: Walk, stored: (node: Node) => void, computing: boolean): void {
  const type = nodeType(value)
  if (type !== undefined && STORED.has(type)) return stored(value as unknown as Node)
  if (type !== undefined && EXPRESSIONS.has(type)) return kept(value, walk, computing)
  if (type === 'TableLikeClause') return like(value['TableLikeClause'], walk)
  if (type === 'Constraint') foreignKey(value['Constraint'] as Constraint, walk)
  if (typeof value['relname'] === 'string') return touchAll(lookUp(value as RangeVar, walk.found.context), use, walk)
  if (typeof value['roletype'] === 'string') walk.found.role((value as RoleSpec).rolename)
  for (const [key, inner] of Object.entries(value)) {
    // The table a foreign key points to stays as it is; only its key columns matter.
    if (key !== 'pktable' && typeof inner === 'object') parts(inner, use, walk, stored, computing || key === 'partbound')
  }
}

/** An expression that is kept: a default, a check, an index expression. Names in it belong to a table that is noted already. The bounds of a partition are computed, and then kept. */
function kept(value: Tree, walk: Walk, computing: boolean): void {
  const before = walk.found.planning
  walk.found.planning ||= !computing
  expression(value, TOP, DEFINITION, walk)
  walk.found.planning = before
}

/** LIKE copies the shape of a table and none of its rows. */
function like(clause: unknown, walk: Walk): void {
  if (isTree(clause) && isTree(clause['relation'])) touchAll(lookUp(clause['relation'] as RangeVar, walk.found.context), 'read', walk)
}

function foreignKey({ pktable, pk_attrs }: Constraint, walk: Walk): void {
  if (pktable === undefined) return
  const named = lookUp(pktable, walk.found.context)
  touchAll(named, 'read', walk)
  const names = new Set(stringsOf(pk_attrs))
  const sources = relationItem(pktable, named).columns.filter(({ name }) => names.has(name)).flatMap((column) => column.sources)
  walk.found.name(sources)
  walk.found.use(sources, FOREIGN_KEY)
}
