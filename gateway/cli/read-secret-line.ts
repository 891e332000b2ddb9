import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { CliFailure, EXIT, type CliIo } from './io.ts'

const MAX_SECRET_BYTES = 4096

/** One line: typed without echo at a terminal, or the first line of what is piped in. */
export function readSecretLine(io: CliIo, prompt: string): Promise<string> {
  return io.stdin.isTTY === true ? readTyped(io, prompt) : readPiped(io)
}

/** readline writes what is typed to its output; this one keeps it to itself. */
function readTyped(io: CliIo, prompt: string): Promise<string> {
  io.stderr.write(prompt)
  const silent = new Writable({ write: (_, __, done) => done() })
  const reader = createInterface({ input: io.stdin, output: silent, terminal: true })
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  reader.once('line', (line) => { resolve(line); reader.close() })
  reader.once('SIGINT', () => { reject(new CliFailure(EXIT.failed, 'interrupted')); reader.close() })
  reader.once('close', () => reject(new CliFailure(EXIT.usage, 'nothing was typed')))
  return promise.finally(() => io.stderr.write('\n'))
}

async function readPiped({ stdin }: CliIo): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of stdin) {
    const piece = Buffer.from(chunk as Buffer)
    bytes += piece.length
    if (bytes > MAX_SECRET_BYTES) throw new CliFailure(EXIT.usage, `that is longer than ${MAX_SECRET_BYTES} bytes`)
    chunks.push(piece)
    if (piece.includes(0x0a)) break
  }
  return Buffer.concat(chunks).toString('utf8').split(/\r?\n/, 1)[0] ?? ''
}
