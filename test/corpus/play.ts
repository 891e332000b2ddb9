/** Plays the session of a case, and looks at what came back. */
import { secretIn } from '../fault/disguises.ts'
import { B, D, E, message, P, Q, rawClient, rowsIn, S, type Frame, type RawClient, type RawLogin } from '../fault/raw-client.ts'
import { CORPUS_SECRETS } from './corpus-shop.ts'

/** `extended` and `binary` execute what they never ask to be described; `described` asks first. */
export type Mode = 'simple' | 'extended' | 'binary' | 'described' | 'one segment'
export const MODES: readonly Mode[] = ['simple', 'extended', 'binary', 'one segment']

export interface Played {
  /** Every byte since login. */
  readonly bytes: Buffer
  readonly frames: readonly Frame[]
}

/** Machines that run tests are slow at times; a session that hangs is a failure all the same. */
const WAIT_MS = 30_000

export async function play(login: RawLogin, statements: readonly string[], mode: Mode): Promise<Played> {
  const client = await rawClient({ waitMs: WAIT_MS, ...login })
  const frames: Frame[] = []
  if (mode === 'one segment') frames.push(...(await client.ask(statements.flatMap((text) => simple(text)), statements.length)))
  else for (const text of statements) if (!client.closed) frames.push(...(await say(client, text, mode)))
  await client.end()
  return { bytes: client.received(), frames }
}

/** Whether the texts can be sent in this mode: several statements in one text are for the simple protocol. */
export function fits(statements: readonly string[], mode: Mode): boolean {
  const several = (text: string): boolean => text.replace(/\$(\w*)\$[^]*?\$\1\$|'[^']*'/g, '').replace(/;\s*$/, '').includes(';')
  return mode === 'simple' || mode === 'one segment' || !statements.some(several)
}

async function say(client: RawClient, text: string, mode: Mode): Promise<Frame[]> {
  return client.ask(mode === 'simple' ? simple(text) : [P('', text), B('', '', [], mode === 'binary' ? 1 : 0), ...(mode === 'described' ? [D('P', '')] : []), E(), ...copied(text), S])
}

const simple = (text: string): Buffer[] => [Q(text), ...copied(text)]

/** Who copies in gets to the end of it at once. */
const copied = (text: string): Buffer[] => (/\bfrom\s+stdin\b/i.test(text) ? [message('c')] : [])

/** A masked value in what the client got: in its bytes, or spread over the values of its rows. */
export function leakIn({ bytes, frames }: Played): string | undefined {
  const values = [...rowsIn(frames).flat(), ...frames.filter(({ type }) => type === 'd').map(({ body }) => body.toString('utf8'))].join('')
  const joined = (text: string): string => text.replace(/[\s,;|"'(){}[\]]+/g, '')
  return secretIn(bytes, CORPUS_SECRETS) ?? secretIn(Buffer.from(values), CORPUS_SECRETS) ?? secretIn(Buffer.from(joined(values)), CORPUS_SECRETS.map(joined))
}

/** Everything that the client could tell two answers apart by, without what differs from session to session. */
export function answerOf(frames: readonly Frame[]): string[] {
  return frames.map(({ type, body }) => {
    if (type === 'T') return `T ${columnsOf(body).map(({ name, attribute, type: oid }) => `${name} ${attribute} ${oid < FIRST_OWN_OID ? oid : 'own'}`).join(', ')}`
    return `${type} ${body.toString('latin1', type === 'A' ? 4 : 0).replaceAll(SESSION_WORDS, '…')}`
  })
}

/** Ids of events and approvals, when an approval expires. */
const SESSION_WORDS = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-z]{10}(?=[:. \0])|\d{4}-\d\d-\d\dT[\d:.]+Z/g
const FIRST_OWN_OID = 16_384

export interface AnsweredColumn { readonly name: string; readonly table: number; readonly attribute: number; readonly type: number }

/** The columns of a RowDescription: name, then table, attribute, type, size, modifier, format. */
export function columnsOf(body: Buffer): AnsweredColumn[] {
  const columns: AnsweredColumn[] = []
  for (let at = 2; at < body.length;) {
    const end = body.indexOf(0, at)
    columns.push({ name: body.toString('utf8', at, end), table: body.readUInt32BE(end + 1), attribute: body.readInt16BE(end + 5), type: body.readUInt32BE(end + 7) })
    at = end + 19
  }
  return columns
}
