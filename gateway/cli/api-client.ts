import { existsSync, readFileSync, statSync } from 'node:fs'
import { request } from 'node:http'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import type { ProblemDetails } from '../api/index.ts'
import type { Config } from '../config/index.ts'
import { CliFailure, EXIT, type CliIo } from './io.ts'

const MAX_RESPONSE_BYTES = 16 * 1024 * 1024
const TIMEOUT_MS = 15_000

export interface ApiClient {
  get(path: string): Promise<unknown>
  post(path: string, body?: unknown): Promise<unknown>
}

/** Talks to a running gateway's API; what it refuses is a `CliFailure` in the API's own words. */
export function apiClient(io: CliIo, api: Config['api'], tokenFile: string | undefined): ApiClient {
  const token = readToken(io, tokenFile)
  return {
    get: (path) => call(api, token, 'GET', path, undefined),
    post: (path, body) => call(api, token, 'POST', path, body),
  }
}

/** `--token-file`, else SALLYPORT_TOKEN, else ~/.config/sallyport/token. */
function readToken({ env, cwd }: CliIo, tokenFile: string | undefined): string {
  if (tokenFile === undefined && env['SALLYPORT_TOKEN'] !== undefined) return env['SALLYPORT_TOKEN'].trim()
  const file = tokenFile === undefined ? join(env['XDG_CONFIG_HOME'] ?? join(env['HOME'] ?? homedir(), '.config'), 'sallyport', 'token') : resolve(cwd, tokenFile)
  if (!existsSync(file)) throw new CliFailure(EXIT.usage, `no API token: set SALLYPORT_TOKEN, write it to ${file}, or name a file with --token-file; \`sallyport token\` makes one`)
  if (statSync(file).size > 1024) throw new CliFailure(EXIT.usage, `${file} is too large to be a token`)
  return readFileSync(file, 'utf8').trim()
}

interface ApiAnswer { readonly status: number; readonly text: string }

async function call(api: Config['api'], token: string, method: string, path: string, body: unknown): Promise<unknown> {
  if (!/^[\x21-\x7e]+$/.test(token)) throw new CliFailure(EXIT.usage, 'the API token has characters that no token has')
  const { status, text } = await send(api, token, method, path, body)
  const parsed = parse(text)
  if (status < 400) return parsed
  const { detail, code } = parsed as Partial<ProblemDetails>
  throw new CliFailure(status >= 500 ? EXIT.unavailable : EXIT.failed, `${detail ?? `the gateway answered ${status}`}${code === undefined ? '' : ` [${code}]`}`)
}

function send({ socket, listen }: Config['api'], token: string, method: string, path: string, body: unknown): Promise<ApiAnswer> {
  const where = socket === undefined ? { host: listen?.host, port: listen?.port } : { socketPath: socket }
  const payload = body === undefined ? undefined : JSON.stringify(body)
  const headers = { authorization: `Bearer ${token}`, ...(payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(payload)) }) }
  const { promise, resolve: answer, reject } = Promise.withResolvers<ApiAnswer>()
  const sent = request({ ...where, method, path: `/v1${path}`, headers, agent: false, timeout: TIMEOUT_MS }, (response) => {
    let text = ''
    response.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      if (text.length > MAX_RESPONSE_BYTES) response.destroy(new Error('the answer is too long'))
    })
    response.on('end', () => answer({ status: response.statusCode ?? 0, text })).on('error', reject)
  })
  sent.on('timeout', () => sent.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)))
  sent.on('error', (error) => reject(unreachable(error, socket ?? `${listen?.host ?? ''}:${listen?.port ?? ''}`)))
  sent.end(payload)
  return promise
}

function unreachable(error: Error, where: string): CliFailure {
  const gone = 'code' in error && (error.code === 'ENOENT' || error.code === 'ECONNREFUSED')
  return new CliFailure(EXIT.unavailable, gone ? `no gateway answers at ${where}; is \`sallyport serve\` running with this configuration?` : `the gateway at ${where} cannot be asked: ${error.message}`)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new CliFailure(EXIT.unavailable, 'whoever answers there is not a Sallyport gateway')
  }
}
