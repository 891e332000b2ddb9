import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ClientLogin } from '../../../../adapters/postgresql/auth/client-login.ts'
import { responseLength } from '../../../../adapters/postgresql/auth/sasl-messages.ts'
import { createVerifier, parseVerifier } from '../../../../adapters/postgresql/auth/scram-verifier.ts'
import { UpstreamLogin } from '../../../../adapters/postgresql/auth/upstream-login.ts'
import {
  encodeAuthenticationMd5Password, encodeAuthenticationOk, encodeAuthenticationSasl, encodeAuthenticationSaslContinue, encodeBackendKeyData, encodeNegotiateProtocolVersion,
  encodeParameterStatus, encodeReadyForQuery,
} from '../../../../adapters/postgresql/startup/backend-messages.ts'
import { ClientStartup } from '../../../../adapters/postgresql/startup/client-startup.ts'
import { encodeError, encodeNotice, parseErrorFields } from '../../../../adapters/postgresql/startup/error-fields.ts'
import { int32, message, untypedMessage } from '../../../../adapters/postgresql/startup/message-writer.ts'
import { SallyportError } from '../../../../core/index.ts'

/** Mutations per decoder. */
const BUDGET = 20_000
const ALLOWED = new Set(['PROTOCOL_VIOLATION', 'TARGET_UNAVAILABLE', 'CONFIG_INVALID'])

/** Repeatable for its seed. */
function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const INTERESTING = [0, 1, 4, 0x7f, 0x80, 0xff, 0x2c, 0x3d]

function mutate(seed: Buffer, next: (below: number) => number): Buffer {
  const bytes = Buffer.from(seed)
  for (let changes = 1 + next(4); changes > 0 && bytes.length > 0; changes--) {
    const at = next(bytes.length)
    bytes[at] = next(2) === 0 ? next(256) : (INTERESTING[next(INTERESTING.length)] ?? 0)
  }
  const shape = next(4)
  if (shape === 0) return bytes.subarray(0, next(bytes.length + 1))
  if (shape === 1) return Buffer.concat([bytes, bytes.subarray(next(bytes.length + 1))])
  return bytes
}

/** Runs the budget; returns how many inputs were taken and how many refused: both ways must be seen. */
async function fuzz(seeds: readonly Buffer[], decode: (bytes: Buffer) => unknown): Promise<void> {
  const next = random(20_261_121)
  let taken = 0
  let refused = 0
  for (let run = 0; run < BUDGET; run++) {
    const input = mutate(seeds[run % seeds.length] ?? Buffer.alloc(0), next)
    try {
      await decode(input)
      taken++
    } catch (cause) {
      assert.ok(cause instanceof SallyportError && ALLOWED.has(cause.code), `${input.toString('base64')}: ${String(cause)}`)
      refused++
    }
  }
  assert.equal(taken + refused, BUDGET)
  assert.ok(taken > BUDGET / 1000 && refused > BUDGET / 1000, `${taken} taken, ${refused} refused`)
}

describe(`${BUDGET} mutations of each decoder's input end in a result or a clear error`, () => {
  const startup = untypedMessage(int32((3 << 16) | 2), 'user', 'ann', 'database', 'shop', '_pq_.x', '1', Buffer.of(0))
  const cancel = untypedMessage(int32(80877102), int32(4711), Buffer.alloc(32, 7))

  test('startup packets', () => {
    const seeds = [startup, cancel, Buffer.concat([untypedMessage(int32(80877104)), startup])]
    return fuzz(seeds, (bytes) => {
      const client = new ClientStartup({ tls: true })
      let step = client.receive(bytes)
      while (step.kind === 'answer') step = client.receive()
    })
  })

  test('error fields', () => {
    const error = encodeError({ severity: 'ERROR', code: '42501', message: 'm', detail: 'd', hint: 'h' })
    return fuzz([error], (bytes) => parseErrorFields(bytes, Math.min(5, bytes.length)))
  })

  test('SASL responses of clients', async () => {
    const verifier = parseVerifier(await createVerifier('pencil', { iterations: 1 }))
    const first = Buffer.from('n,,n=,r=abcdefgh')
    const final = Buffer.from(`c=biws,r=abcdefgh1234,p=${Buffer.alloc(32).toString('base64')}`)
    const conversation = Buffer.concat([message('p', 'SCRAM-SHA-256', int32(first.length), first), message('p', final)])
    await fuzz([conversation], (bytes) => {
      const login = new ClientLogin({ verifier, user: 'ann', mockSecret: Buffer.alloc(16), nonce: '1234' })
      let step = login.receive(bytes)
      while (step.kind === 'answer') step = login.receive()
      assert.notEqual(step.kind, 'authenticated')
    })
    assert.equal(responseLength(conversation), message('p', 'SCRAM-SHA-256', int32(first.length), first).length)
  })

  test('verifiers', async () => {
    const text = await createVerifier('pencil', { iterations: 1 })
    await fuzz([Buffer.from(text)], (bytes) => parseVerifier(bytes.toString('latin1')))
  })

  test('logins to targets', () => {
    const begun = [encodeParameterStatus('server_version', '18'), encodeNotice({ severity: 'NOTICE', code: '00000', message: 'n' }), encodeBackendKeyData(1, Buffer.alloc(4)), encodeReadyForQuery('I')]
    const seeds = [
      Buffer.concat([encodeNegotiateProtocolVersion(0, []), encodeAuthenticationOk(), ...begun]),
      Buffer.concat([encodeAuthenticationMd5Password(Buffer.from('salt')), encodeAuthenticationOk(), ...begun]),
      Buffer.concat([encodeAuthenticationSasl(['SCRAM-SHA-256']), encodeAuthenticationSaslContinue('r=abcdef,s=AAAA,i=1')]),
    ]
    return fuzz(seeds, async (bytes) => {
      const login = new UpstreamLogin({ user: 'u', password: 'p', database: 'd', encrypted: false, protocolMinor: 2 })
      let step = await login.receive(bytes)
      while (step.kind === 'send') step = await login.receive()
    })
  })
})
