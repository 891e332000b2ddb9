import { relative, resolve } from 'node:path'
import { dotted, loadConfig, renderProblems, type Config, type LoadedConfig, type Problem } from '../config/index.ts'
import { PROTOCOLS } from '../protocols/index.ts'
import { createSecrets, type Secrets } from '../secrets.ts'
import { CliFailure, EXIT, type CliIo } from './io.ts'

type ValidConfig = Extract<LoadedConfig, { config: Config }>

/** The configuration a command was given; its problems, all of them, end the command. */
export async function readConfig(io: CliIo, file: string): Promise<Config> {
  return (await readLoaded(io, file)).config
}

/** The same, for who needs its secrets as well. */
export async function readWholeConfig(io: CliIo, file: string): Promise<Config> {
  const loaded = await readLoaded(io, file)
  const missing = await missingSecrets(loaded, createSecrets(io.env))
  if (missing.length > 0) throw new CliFailure(EXIT.config, renderProblems(shortPath(io, resolve(io.cwd, file)), missing))
  return loaded.config
}

async function readLoaded(io: CliIo, file: string): Promise<ValidConfig> {
  const path = resolve(io.cwd, file)
  const loaded = await loadConfig(path)
  if (loaded.problems === undefined) return loaded
  throw new CliFailure(EXIT.config, renderProblems(shortPath(io, path), loaded.problems))
}

/** Relative to where the person stands, when it is below there. */
export function shortPath({ cwd }: CliIo, path: string): string {
  const short = relative(cwd, path)
  return short.startsWith('..') || short === '' ? path : short
}

/** What the configuration refers to and is not there, each with the line of the section it is missing in. */
export async function missingSecrets({ config, lineOf }: ValidConfig, secrets: Secrets): Promise<Problem[]> {
  const found = await Promise.all(PROTOCOLS.map((protocol) => protocol.check(config, secrets)))
  return found.flat().map(({ path, message }) => ({ line: lineOf(path), message: `${dotted(path)}: ${message}` }))
}
