import { relative, resolve } from 'node:path'
import { loadConfig, renderProblems, type Config } from '../config/index.ts'
import { CliFailure, EXIT, type CliIo } from './io.ts'

/** The configuration a command was given; its problems, all of them, end the command. */
export async function readConfig(io: CliIo, file: string): Promise<Config> {
  const path = resolve(io.cwd, file)
  const { config, problems } = await loadConfig(path)
  if (problems === undefined) return config
  throw new CliFailure(EXIT.config, renderProblems(shortPath(io, path), problems))
}

/** Relative to where the person stands, when it is below there. */
export function shortPath({ cwd }: CliIo, path: string): string {
  const short = relative(cwd, path)
  return short.startsWith('..') || short === '' ? path : short
}
