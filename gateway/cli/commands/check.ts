import { join, resolve } from 'node:path'
import { loadRuleset } from '../../../core/rules/index.ts'
import { loadConfig, renderProblems, type Config } from '../../config/index.ts'
import { ruleOptions } from '../../container.ts'
import { createSecrets } from '../../secrets.ts'
import { missingSecrets, shortPath } from '../configuration.ts'
import { CliFailure, EXIT, print, printJson, type CliIo } from '../io.ts'

export interface CheckOptions {
  readonly config: string
  readonly json?: boolean
  /** False: do not look whether what references name is there. */
  readonly secrets: boolean
}

interface FileProblem { readonly file: string; readonly line: number; readonly message: string }
interface Findings { readonly problems: readonly FileProblem[]; readonly notes: readonly string[]; readonly summary: string }

/** Everything that would keep the gateway from starting, all at once, without starting it. */
export async function check(io: CliIo, options: CheckOptions): Promise<void> {
  const { problems, notes, summary } = await findings(io, options)
  if (options.json === true) printJson(io, { ok: problems.length === 0, problems, notes })
  else if (problems.length === 0) print(io, [summary, ...notes.map((note) => `note: ${note}`)].join('\n'))
  if (problems.length === 0) return
  throw new CliFailure(EXIT.config, options.json === true ? '' : problems.map(({ file, line, message }) => renderProblems(file, [{ line, message }])).join('\n'))
}

async function findings(io: CliIo, options: CheckOptions): Promise<Findings> {
  const path = resolve(io.cwd, options.config)
  const file = shortPath(io, path)
  const loaded = await loadConfig(path)
  if (loaded.problems !== undefined) return { problems: loaded.problems.map((problem) => ({ file, ...problem })), notes: [], summary: '' }
  const { config } = loaded
  const rules = await checkRules(io, config)
  const secrets = options.secrets ? (await missingSecrets(loaded, createSecrets(io.env))).map((problem) => ({ file, ...problem })) : []
  const { targets, listeners, people } = config
  const summary = `${file} is fine: ${rules.count} rules, ${Object.keys(targets).length} targets, ${listeners.length} listeners, ${Object.keys(people).length} people`
  return { problems: [...rules.problems, ...secrets], notes: notesOn(config), summary }
}

async function checkRules(io: CliIo, config: Config): Promise<{ problems: FileProblem[]; count: number }> {
  const loaded = await loadRuleset(config.rules.folder, ruleOptions(config))
  if ('ruleset' in loaded) return { problems: [], count: loaded.ruleset.rules.length }
  const { folder } = config.rules
  return { problems: loaded.problems.map(({ file, line, message }) => ({ file: shortPath(io, file === folder ? folder : join(folder, file)), line, message })), count: 0 }
}

/** What is allowed but probably not meant. */
function notesOn({ people, approvals, listeners, rules, audit }: Config): string[] {
  const notes: string[] = []
  const everybody = Object.entries(people)
  if (everybody.every(([, person]) => person.postgresql === undefined)) notes.push('nobody can log in yet; `sallyport password` prints what to write under people.NAME.postgresql')
  if (everybody.every(([, person]) => person.api === undefined)) notes.push('nobody can approve yet; `sallyport token` prints what to write under people.NAME.api')
  if (approvals.approvers.length === 0) notes.push('approvals.approvers is empty; a rule that holds a command must name its approvers')
  if (rules.default === 'allow') notes.push('rules.default is allow: what no rule speaks of is allowed')
  if (audit === 'relaxed') notes.push('audit is relaxed: a crash can lose the record of the last moments')
  for (const { listen: { host, port }, tls } of listeners) {
    if (!/^(127\.|::1$|localhost$)/.test(host) && tls?.required !== true) notes.push(`clients of ${host}:${port} may connect without TLS; write tls: { …, required: true }`)
  }
  return notes
}
