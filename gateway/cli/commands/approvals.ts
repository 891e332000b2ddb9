import { createInterface } from 'node:readline/promises'
import type { ApprovalRequested } from '../../../core/index.ts'
import { printable, printableLine, renderFields, renderImpact, renderTable, shownName, shownTime } from '../../../projections/index.ts'
import type { ShownApproval } from '../../api/index.ts'
import { apiClient, type ApiClient } from '../api-client.ts'
import { readConfig } from '../configuration.ts'
import { CliFailure, EXIT, print, printJson, widthOf, type CliIo } from '../io.ts'

export interface ApprovalOptions {
  readonly config: string
  readonly tokenFile?: string
  readonly json?: boolean
}
export interface AnswerOptions extends ApprovalOptions {
  readonly comment?: string
  readonly yes?: boolean
  readonly digest?: string
}

export async function listApprovals(io: CliIo, options: ApprovalOptions): Promise<void> {
  const { approvals } = (await (await clientOf(io, options)).get('/approvals')) as { approvals: ApprovalRequested[] }
  if (options.json === true) approvals.forEach((approval) => printJson(io, approval))
  else if (approvals.length === 0) print(io, 'nothing waits for an approval')
  else print(io, renderApprovals(approvals, widthOf(io)))
}

export async function showApproval(io: CliIo, id: string, options: ApprovalOptions): Promise<void> {
  const shown = await get(await clientOf(io, options), id)
  if (options.json === true) printJson(io, shown)
  else print(io, renderApproval(shown, widthOf(io)))
}

/** Shows what is asked and, once confirmed, answers exactly that: the digest of what was shown goes with the answer. */
export async function answerApproval(io: CliIo, word: 'approve' | 'deny', id: string, options: AnswerOptions): Promise<void> {
  const client = await clientOf(io, options)
  const shown = await get(client, id)
  if (options.digest !== undefined && options.digest !== shown.request.digest) throw new CliFailure(EXIT.failed, `approval ${id} asks for something else than ${options.digest}`)
  if (options.yes !== true && options.digest === undefined) await confirm(io, word, shown)
  const answered = (await client.post(`/approvals/${id}/${word}`, { digest: shown.request.digest, comment: options.comment ?? '' })) as ShownApproval
  if (options.json === true) printJson(io, answered)
  else print(io, `${word === 'approve' ? 'approved' : 'denied'} ${id}`)
}

async function confirm(io: CliIo, word: string, shown: ShownApproval): Promise<void> {
  if (io.stdin.isTTY !== true) throw new CliFailure(EXIT.usage, 'nobody is here to confirm; add --yes, or --digest with what was shown')
  print(io, renderApproval(shown, widthOf(io)))
  const asking = createInterface({ input: io.stdin, output: io.stdout })
  const answer = await asking.question(`\n${word} this? [y/N] `, { signal: io.interrupted }).finally(() => asking.close())
  if (!/^y(es)?$/i.test(answer.trim())) throw new CliFailure(EXIT.failed, 'not answered')
}

async function clientOf(io: CliIo, { config, tokenFile }: ApprovalOptions): Promise<ApiClient> {
  return apiClient(io, (await readConfig(io, config)).api, tokenFile)
}

async function get(client: ApiClient, id: string): Promise<ShownApproval> {
  if (!/^[0-9a-z]{1,32}$/.test(id)) throw new CliFailure(EXIT.usage, `"${printableLine(id)}" is not the id of an approval`)
  return (await client.get(`/approvals/${id}`)) as ShownApproval
}

const HEAD = [
  { title: 'APPROVAL', width: 12 },
  { title: 'EXPIRES (UTC)', width: 19 },
  { title: 'WHO', width: 20 },
  { title: 'TARGET', width: 18 },
  { title: 'ASKS FOR', width: 120 },
]

function renderApprovals(approvals: readonly ApprovalRequested[], width: number): string {
  return renderTable(HEAD, approvals.flatMap(({ approval, expires, identity, target, asked, impact }) => [
    [approval, shownTime(expires), whoOf(identity), printableLine(`${target.name}/${target.database}`), printableLine(asked.text)],
    ...impact === undefined ? [] : [['', '', '', '', `  ↳ ${printableLine(impact.summary)}`]],
  ]), width)
}

function renderApproval({ status, request, answeredBy, comment }: ShownApproval, width: number): string {
  const { approval, identity, target, asked, votes, terms, expires, session, digest, impact } = request
  const fields = renderFields([
    ['approval', `${approval} (${status}${answeredBy === undefined ? '' : ` by ${answeredBy}`})`], ['comment', comment ?? ''],
    ['impact', impact === undefined ? '' : `${impact.summary}${impact.unknown.length === 0 ? '' : ' (not all of it is known)'}`],
    ['who', `${whoOf(identity)}, in ${identity.groups.join(', ') || 'no group'}`], ['target', `${target.name}/${target.database} ${labelsOf(target.labels)}`],
    ['asks for', `${asked.action} (${asked.fidelity}${asked.opaque === '' ? '' : `: ${asked.opaque}`})`], ['touches', asked.resources.map(({ name, access }) => `${name} (${access})`).join(', ')],
    ['because', votes.filter(({ effect }) => effect === 'await-approval').map(({ reason }) => reason).join('; ')],
    ['approvers', terms.approvers.join(', ')], ['expires', expires], ['session', session], ['digest', digest],
    ['values', asked.values.length === 0 ? '' : `${JSON.stringify(asked.values)}${asked.valuesComplete ? '' : ' (not all of them)'}`],
    ['cut', asked.textBytes === undefined ? '' : `the statement has ${asked.textBytes} bytes; this is its beginning`],
  ])
  const text = printable(asked.text).split('\n').map((line) => `  ${line}`)
  return [...fields, '', ...text, ...impact === undefined ? [] : ['', renderImpact(impact, width)]].join('\n')
}

function whoOf({ subject, actor }: { subject: string; actor: string }): string {
  return shownName(subject, actor)
}

function labelsOf(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels).map(([name, value]) => `${name}=${value}`).join(' ')
}
