import { CatalogueConnection } from '../../../adapters/postgresql/auth/catalogue-connection.ts'
import { type Proposal, type Proposals, proposeClasses } from '../../../adapters/postgresql/classify/index.ts'
import { SallyportError } from '../../../core/index.ts'
import { printableLine } from '../../../projections/index.ts'
import type { TargetConfig } from '../../config/index.ts'
import { targetOf } from '../../protocols/postgresql.ts'
import { createSecrets } from '../../secrets.ts'
import { readConfig } from '../configuration.ts'
import { CliFailure, EXIT, print, printJson, type CliIo } from '../io.ts'

export interface ClassifyOptions {
  readonly config: string
  readonly json?: boolean
  /** False: judge by names and types alone. */
  readonly sample: boolean
  /** Another database of the same server. */
  readonly database?: string
}

/** For one answer of the target; samples have a shorter limit of their own. */
const TIMEOUT_MS = 30_000

/** Proposes what the columns of a target hold, as configuration to paste. Values are looked at, and never shown. */
export async function classify(io: CliIo, name: string, options: ClassifyOptions): Promise<void> {
  const { targets } = await readConfig(io, options.config)
  const target = Object.hasOwn(targets, name) ? targets[name] : undefined
  if (target === undefined) throw new CliFailure(EXIT.usage, `there is no target "${name}"; the configuration has ${Object.keys(targets).join(', ') || 'none'}`)
  const database = options.database ?? target.database
  const connection = await connect(io, name, target, database)
  try {
    const found = await proposeClasses(connection, { known: Object.keys(target.classes), signal: io.interrupted, ...(options.sample ? {} : { sampleRows: 0 }) })
    if (options.json === true) printAll(io, found)
    else print(io, blockOf(`${name}, database ${database}`, found, target.classes))
  } finally {
    connection.close()
  }
}

async function connect(io: CliIo, name: string, target: TargetConfig, database: string): Promise<CatalogueConnection> {
  const { host, port, user, password, tls } = await targetOf(name, target, createSecrets(io.env)).catch((error: unknown) => {
    throw error instanceof SallyportError && error.code === 'CONFIG_INVALID' ? new CliFailure(EXIT.config, `targets.${name}: ${error.message}`) : error
  })
  const parameters = { application_name: 'sallyport classify', client_encoding: 'UTF8' }
  return CatalogueConnection.open({ host, port, user, password, tls, database, parameters, timeoutMs: TIMEOUT_MS, signal: io.interrupted })
}

function printAll(io: CliIo, { proposals, notes }: Proposals): void {
  for (const proposal of proposals) printJson(io, proposal)
  for (const note of notes) io.stderr.write(`note: ${printableLine(note)}\n`)
}

/** The whole `classes:` of the target: what it has, and what is proposed. */
function blockOf(where: string, { proposals, tables, columns, sampled, notes }: Proposals, known: Readonly<Record<string, string>>): string {
  const head = [`${where}: ${proposals.length} of ${columns} columns in ${tables} tables; values of ${sampled} tables were looked at.`, 'Proposals, not proof: look at each before you rely on it.', ...notes]
  const entries = [...Object.entries(known).map(([column, name]) => [`${keyOf(column)}: ${name}`, 'as configured']), ...proposals.map((proposal) => [`${keyOf(proposal.column)}: ${proposal.class}`, reasonOf(proposal)])]
  const width = Math.min(64, Math.max(0, ...entries.map(([entry = '']) => entry.length)))
  const lines = entries.map(([entry = '', comment = '']) => `      ${entry.padEnd(width)}  # ${comment}`)
  return [...head.map((line) => `    # ${printableLine(line)}`), lines.length === 0 ? '    classes: {}' : '    classes:', ...lines].join('\n')
}

function reasonOf({ confidence, why }: Proposal): string {
  return printableLine(`${confidence.toFixed(2)}: ${why}`)
}

/** Names may hold anything; a key is one line of YAML whatever they hold. */
function keyOf(column: string): string {
  if (/^[A-Za-z_][\w$-]*(?:\.[A-Za-z_*][\w$*-]*)+$/.test(column)) return column
  return JSON.stringify(column).replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => Array.from({ length: character.length }, (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`).join(''))
}
