import type { CallStmt, ConstraintsSetStmt, DiscardStmt, DoStmt, ExecuteStmt, Node, TransactionStmt, VariableSetStmt } from 'libpg-query'
import type { SettingChange, TransactionControl } from './analysis.ts'
import { argumentText, stringOf } from './ast.ts'
import { call, expression } from './expression.ts'
import { PARAMETER } from './place.ts'
import { isRoleChange } from './role-change.ts'
import { TOP, type Walk } from './walk.ts'

/** Statements about the session rather than the data. False when the node is none of them. */
export function sessionStatement(node: Node, walk: Walk): boolean {
  if ('TransactionStmt' in node) transaction(node.TransactionStmt, walk)
  else if ('VariableSetStmt' in node) variableSet(node.VariableSetStmt, walk)
  else if ('ExecuteStmt' in node) execute(node.ExecuteStmt, walk)
  else if ('DiscardStmt' in node) discard(node.DiscardStmt, walk)
  else if ('DoStmt' in node) doBlock(node.DoStmt, walk)
  else if ('CallStmt' in node) callProcedure(node.CallStmt, walk)
  else if ('ConstraintsSetStmt' in node) constraints(node.ConstraintsSetStmt, walk)
  else return simple(node, walk)
  return true
}

function simple(node: Node, { found }: Walk): boolean {
  if ('VariableShowStmt' in node) found.act('session')
  else if ('DeallocateStmt' in node) {
    found.act('session')
    found.effects.deallocates = { name: node.DeallocateStmt.isall === true ? undefined : node.DeallocateStmt.name }
  } else if ('ClosePortalStmt' in node) {
    found.act('session')
    found.effects.closes = { name: node.ClosePortalStmt.portalname }
  } else if ('ListenStmt' in node || 'UnlistenStmt' in node) found.act('listen')
  else if ('NotifyStmt' in node) found.act('notify')
  else return false
  return true
}

const CONTROL: Readonly<Record<string, TransactionControl['kind']>> = {
  TRANS_STMT_BEGIN: 'begin',
  TRANS_STMT_START: 'begin',
  TRANS_STMT_COMMIT: 'commit',
  TRANS_STMT_ROLLBACK: 'rollback',
  TRANS_STMT_SAVEPOINT: 'savepoint',
  TRANS_STMT_RELEASE: 'release',
  TRANS_STMT_ROLLBACK_TO: 'rollback-to',
  TRANS_STMT_PREPARE: 'prepare',
  TRANS_STMT_COMMIT_PREPARED: 'commit-prepared',
  TRANS_STMT_ROLLBACK_PREPARED: 'rollback-prepared',
}

/** One that is prepared outlives its session, with all its locks, and whoever comes may end it. */
function transaction({ kind = 'TRANS_STMT_BEGIN', savepoint_name, gid, chain }: TransactionStmt, { found }: Walk): void {
  found.act('transaction')
  if (gid !== undefined) {
    found.act('admin')
    found.literal()
  }
  const control = CONTROL[kind]
  if (control === undefined) return found.opaque(`${kind} is not understood`)
  found.effects.transaction = { kind: control, name: savepoint_name ?? gid ?? '', chain: chain === true }
}

function variableSet(statement: VariableSetStmt, { found }: Walk): void {
  found.act(/^(TRANSACTION|transaction_)/.test(statement.name ?? '') ? 'transaction' : 'session')
  const change = settingChange(statement)
  found.setting(change)
  if (isRoleChange(change)) for (const role of typeof change.value === 'string' ? ['*'] : change.value) found.role(role)
}

/** What SET or RESET says. */
export function settingChange({ kind, name = '', args, is_local }: VariableSetStmt): SettingChange {
  const local = is_local === true
  if (kind === 'VAR_RESET_ALL') return { name: '*', value: 'default', local }
  if (kind === 'VAR_SET_DEFAULT' || kind === 'VAR_RESET') return { name: name.toLowerCase(), value: 'default', local }
  if (kind !== 'VAR_SET_VALUE') return { name: name.toLowerCase(), value: 'unknown', local }
  const values = (args ?? []).map(argumentText)
  const known = values.filter((value) => typeof value === 'string')
  return { name: name.toLowerCase(), value: known.length === values.length ? known : 'unknown', local }
}

/** The values of its parameters are computed in any case: a plan is made for them. */
function execute({ name = '', params }: ExecuteStmt, walk: Walk): void {
  const { found } = walk
  found.act('unknown')
  found.effects.executes = name
  found.opaque(`prepared statement ${name} is not known`)
  const { planning } = found
  found.planning = false
  expression(params, TOP, PARAMETER, walk)
  found.planning = planning
}

function discard({ target }: DiscardStmt, { found }: Walk): void {
  found.act('session')
  const what = { DISCARD_ALL: 'all', DISCARD_PLANS: 'plans', DISCARD_SEQUENCES: 'sequences', DISCARD_TEMP: 'temp' } as const
  found.effects.discards = what[target ?? 'DISCARD_ALL']
  if (found.effects.discards === 'all') found.setting({ name: '*', value: 'default', local: false })
}

function doBlock({ args }: DoStmt, walk: Walk): void {
  walk.found.act('do')
  const texts = new Map((args ?? []).flatMap((node) => ('DefElem' in node ? [[node.DefElem.defname, stringOf(node.DefElem.arg)] as const] : [])))
  walk.block(texts.get('as') ?? '', texts.get('language') ?? 'plpgsql')
}

function callProcedure({ funccall }: CallStmt, walk: Walk): void {
  walk.found.act('call')
  if (funccall !== undefined) call(funccall, TOP, PARAMETER, walk)
}

function constraints(_statement: ConstraintsSetStmt, { found }: Walk): void {
  found.act('transaction')
}
