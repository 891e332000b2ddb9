import type { GrantIssued } from '../../../core/index.ts'
import { printableLine, renderFields, renderTable, shownName, shownTime } from '../../../projections/index.ts'
import type { ShownGrant } from '../../api/index.ts'
import { apiClient, type ApiClient } from '../api-client.ts'
import { readConfig } from '../configuration.ts'
import { CliFailure, EXIT, print, printJson, widthOf, type CliIo } from '../io.ts'

export interface GrantOptions {
  readonly config: string
  readonly tokenFile?: string
  readonly json?: boolean
}
export interface IssueOptions extends GrantOptions {
  readonly to: string
  readonly target: string
  readonly columns: readonly string[]
  readonly for: number
  readonly reason: string
  readonly task?: string
}

export async function listGrants(io: CliIo, options: GrantOptions): Promise<void> {
  const { grants } = (await (await clientOf(io, options)).get('/grants')) as { grants: GrantIssued[] }
  if (options.json === true) grants.forEach((grant) => printJson(io, grant))
  else if (grants.length === 0) print(io, 'no grant is in force')
  else print(io, renderGrants(grants, widthOf(io)))
}

export async function showGrant(io: CliIo, id: string, options: GrantOptions): Promise<void> {
  say(io, options, (await (await clientOf(io, options)).get(`/grants/${idOf(id)}`)) as ShownGrant)
}

export async function issueGrant(io: CliIo, options: IssueOptions): Promise<void> {
  const { to, target, columns, for: seconds, reason, task } = options
  say(io, options, (await (await clientOf(io, options)).post('/grants', { to, target, columns, seconds, reason, task })) as ShownGrant)
}

export async function revokeGrant(io: CliIo, id: string, options: GrantOptions & { readonly reason: string }): Promise<void> {
  say(io, options, (await (await clientOf(io, options)).post(`/grants/${idOf(id)}/revoke`, { reason: options.reason })) as ShownGrant)
}

async function clientOf(io: CliIo, { config, tokenFile }: GrantOptions): Promise<ApiClient> {
  return apiClient(io, (await readConfig(io, config)).api, tokenFile)
}

function idOf(written: string): string {
  if (!/^[0-9a-z]{1,32}$/.test(written)) throw new CliFailure(EXIT.usage, `"${printableLine(written)}" is not the id of a grant`)
  return written
}

function say(io: CliIo, { json }: GrantOptions, shown: ShownGrant): void {
  if (json === true) printJson(io, shown)
  else print(io, renderGrant(shown))
}

const HEAD = [
  { title: 'GRANT', width: 12 },
  { title: 'UNTIL (UTC)', width: 19 },
  { title: 'TO', width: 20 },
  { title: 'TARGET', width: 14 },
  { title: 'TASK', width: 12 },
  { title: 'COLUMNS', width: 120 },
]

function renderGrants(grants: readonly GrantIssued[], width: number): string {
  return renderTable(HEAD, grants.map(({ grant, expires, to, actsFor, target, task = '', columns }) => [
    grant, shownTime(expires), granteeOf(to, actsFor), printableLine(target), printableLine(task), printableLine(columns.join(', ')),
  ]), width)
}

function renderGrant({ status, issued, revokedBy, revokedBecause }: ShownGrant): string {
  const { grant, to, actsFor, target, columns, task = '', reason, by, expires } = issued
  return renderFields([
    ['grant', `${grant} (${status})`], ['to', granteeOf(to, actsFor)], ['target', target], ['columns', columns.join(', ')], ['task', task],
    ['reason', reason], ['by', by.subject], ['until', expires], ['revoked', revokedBy === undefined ? '' : `by ${revokedBy}: ${revokedBecause ?? ''}`],
  ]).join('\n')
}

/** The agent, where it is one that acts for somebody. */
function granteeOf(to: string, actsFor: string): string {
  return actsFor === '' ? shownName(to, '') : shownName(actsFor, to)
}
