import { SallyportError } from '../errors.ts'
import { Secret } from './secret.ts'
import type { SecretSource } from './secret-source.ts'

/** `$${` stands for a `${` that is no reference; `${` must otherwise begin one. */
const PIECE = /\$\$\{|\$\{([a-z][a-z0-9-]*):([^{}]+)\}|\$\{/g
const WHOLE = /^\$\{[a-z][a-z0-9-]*:[^{}]+\}$/

/** Whether the whole text is one reference, as configuration demands of secrets. */
export function isReference(text: string): boolean {
  return WHOLE.test(text)
}

/**
 * Replaces every reference in `text`; text around them stays. Values are not looked into again.
 * Rejects with `CONFIG_INVALID`; the message names the reference, never a value.
 */
export async function resolveReferences(text: string, sources: readonly SecretSource[]): Promise<Secret> {
  let resolved = ''
  let at = 0
  for (const match of text.matchAll(PIECE)) {
    resolved += text.slice(at, match.index) + (await replacement(match, sources))
    at = match.index + match[0].length
  }
  return new Secret(resolved + text.slice(at))
}

async function replacement([piece, scheme, name]: RegExpExecArray, sources: readonly SecretSource[]): Promise<string> {
  if (piece === '$${') return '${'
  if (scheme === undefined || name === undefined) throw invalid('a reference looks like ${env:NAME} or ${file:path}; write $${ for a plain ${')
  const source = sources.find((candidate) => candidate.scheme === scheme)
  if (source === undefined) throw invalid(`the reference ${piece} names an unknown source; there are: ${sources.map((known) => known.scheme).join(', ')}`)
  return source.read(name).catch((cause: unknown) => {
    throw invalid(`the reference ${piece} ${cause instanceof SallyportError ? cause.message : 'cannot be read'}`, cause)
  })
}

function invalid(message: string, cause?: unknown): SallyportError {
  return new SallyportError('CONFIG_INVALID', message, cause === undefined ? {} : { cause })
}
