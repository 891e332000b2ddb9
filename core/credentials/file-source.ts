import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import { constants } from 'node:fs'
import { SallyportError } from '../errors.ts'
import type { SecretSource } from './secret-source.ts'

/** Room for a bundle of certificates. */
export const MAX_SECRET_FILE_BYTES = 1024 * 1024

/** `${file:path}`: a regular file of UTF-8 text; one line break at its end is not part of the value. Relative paths start at `folder`. */
export function createFileSource(folder: string = process.cwd()): SecretSource {
  return {
    scheme: 'file',
    async read(name) {
      const value = (await readCapped(resolve(folder, name))).replace(/\r?\n$/, '')
      if (value === '') throw problem('names a file that is empty')
      return value
    },
  }
}

/** Does not wait for a writer when the path is a pipe. */
async function readCapped(path: string): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((cause: NodeJS.ErrnoException) => {
    throw problem(`names a file that cannot be read (${cause.code ?? 'unknown error'})`, cause)
  })
  try {
    const status = await file.stat()
    if (!status.isFile()) throw problem('does not name a regular file')
    if (status.size > MAX_SECRET_FILE_BYTES) throw problem(`names a file of more than ${MAX_SECRET_FILE_BYTES} bytes`)
    return decode(await file.readFile())
  } finally {
    await file.close()
  }
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw problem('names a file that is not UTF-8 text')
  }
}

function problem(message: string, cause?: unknown): SallyportError {
  return new SallyportError('CONFIG_INVALID', message, cause === undefined ? {} : { cause })
}
