import { readFile, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { z } from 'zod'
import { readDocument, type ConfigDocument } from './document.ts'
import { resolvePaths } from './paths.ts'
import type { Problem } from './problem.ts'
import { checkReferences } from './references.ts'
import { configSchema, type Config } from './schema.ts'

const MAX_CONFIG_BYTES = 1024 * 1024

export type LoadedConfig =
  | { readonly config: Config; readonly problems?: undefined; readonly lineOf: (path: readonly PropertyKey[]) => number }
  | { readonly problems: readonly Problem[]; readonly config?: undefined }

/**
 * Reads and checks a configuration file. Every problem is found at once, in the order of its lines.
 * Paths in it are relative to the file's own folder and are absolute in what is returned.
 * Secrets stay references: nothing is resolved here.
 */
export async function loadConfig(path: string): Promise<LoadedConfig> {
  const source = await readSource(path)
  return typeof source === 'string' ? parseConfig(source, dirname(resolve(path))) : { problems: [source] }
}

async function readSource(path: string): Promise<string | Problem> {
  try {
    const { size } = await stat(path)
    if (size > MAX_CONFIG_BYTES) return { line: 0, message: `the file is larger than ${MAX_CONFIG_BYTES} bytes; is it a configuration?` }
    return await readFile(path, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT') return { line: 0, message: 'there is no such file; `sallyport init` writes one, --config names another' }
    return { line: 0, message: `cannot be read: ${error instanceof Error ? error.message : String(error)}` }
  }
}

/** `folder` is what relative paths are relative to. */
export function parseConfig(source: string, folder: string): LoadedConfig {
  const document = readDocument(source)
  if (document.problems.length > 0) return { problems: document.problems }
  const parsed = configSchema.safeParse(document.value ?? {}, { reportInput: false })
  const problems = [
    ...(parsed.success ? [] : distinct(parsed.error.issues).flatMap((issue) => schemaProblems(issue, document))),
    ...checkReferences(document.value).map(({ path, message }) => ({ line: document.lineOf(path), message: `${dotted(path)}: ${message}` })),
  ].sort((a, b) => a.line - b.line)
  if (parsed.success && problems.length === 0) return { config: resolvePaths(parsed.data, folder), lineOf: document.lineOf }
  return { problems }
}

/** A section with a mistyped key has also not chosen any; the first of the two says it. */
function distinct(issues: readonly z.core.$ZodIssue[]): readonly z.core.$ZodIssue[] {
  const mistyped = new Set(issues.filter(({ code }) => code === 'unrecognized_keys').map(({ path }) => dotted(path)))
  return issues.filter(({ code, path }) => code !== 'custom' || !mistyped.has(dotted(path)))
}

function schemaProblems(issue: z.core.$ZodIssue, document: ConfigDocument): Problem[] {
  if (issue.code === 'unrecognized_keys') {
    const messages = issue.message.split('\n')
    return issue.keys.map((key, index) => ({ line: document.lineOfKey(issue.path, key), message: `${prefix(issue.path)}${messages[index] ?? issue.message}` }))
  }
  if (missing(document.value, issue.path)) {
    return [{ line: document.lineOf(issue.path), message: `${dotted(issue.path)} is missing; ${requiredHint(issue.message)}` }]
  }
  return [{ line: document.lineOf(issue.path), message: `${prefix(issue.path)}${issue.message}` }]
}

function requiredHint(message: string): string {
  return message.startsWith('expected ') || message.startsWith('Invalid ') ? 'write it' : message
}

function missing(value: unknown, path: readonly PropertyKey[]): boolean {
  let inner = value
  for (const key of path) {
    if (typeof inner !== 'object' || inner === null || !Object.hasOwn(inner, key)) return true
    inner = (inner as Readonly<Record<PropertyKey, unknown>>)[key]
  }
  return false
}

function prefix(path: readonly PropertyKey[]): string {
  return path.length === 0 ? '' : `${dotted(path)}: `
}

/** `listeners[0].tls` */
export function dotted(path: readonly PropertyKey[]): string {
  return path.map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index === 0 ? '' : '.'}${String(key).slice(0, 64)}`)).join('')
}
