import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ScramServer } from '../../../../adapters/postgresql/auth/scram-server.ts'
import { createVerifier, parseVerifier } from '../../../../adapters/postgresql/auth/scram-verifier.ts'
import { type LoginResult, MAX_LOGIN_BYTES, UpstreamLogin, type UpstreamLoginOptions } from '../../../../adapters/postgresql/auth/upstream-login.ts'
import {
  encodeAuthenticationCleartextPassword, encodeAuthenticationMd5Password, encodeAuthenticationOk, encodeAuthenticationSasl, encodeAuthenticationSaslContinue, encodeAuthenticationSaslFinal,
  encodeBackendKeyData, encodeParameterStatus, encodeReadyForQuery,
} from '../../../../adapters/postgresql/startup/backend-messages.ts'
import { encodeError, encodeNotice } from '../../../../adapters/postgresql/startup/error-fields.ts'
import { int32, message } from '../../../../adapters/postgresql/startup/message-writer.ts'

const OK = encodeAuthenticationOk()
const SASL = encodeAuthenticationSasl(['SCRAM-SHA-256'])
const SALT = Buffer.from('0123456789abcdef')
const verifier = parseVerifier(await createVerifier('p', { iterations: 1, salt: SALT }))
const NOTICE = encodeNotice({ severity: 'WARNING', code: '01000', message: 'collation version mismatch' })
const BEGUN = Buffer.concat([encodeParameterStatus('TimeZone', 'UTC'), NOTICE, encodeParameterStatus('TimeZone', 'CET'), encodeBackendKeyData(-5, Buffer.alloc(256, 3)), encodeReadyForQuery('I')])

function login(options: Partial<UpstreamLoginOptions> = {}): UpstreamLogin {
  return new UpstreamLogin({ user: 'u', password: 'p', database: 'd', encrypted: true, ...options })
}

/** Feeds chunks, gives back what the login answered, and how it ended. */
async function feed(at: UpstreamLogin, chunks: readonly Buffer[]): Promise<{ sent: Buffer[]; result: LoginResult | undefined }> {
  const sent: Buffer[] = []
  for (const chunk of chunks) {
    for (let step = await at.receive(chunk); step.kind !== 'wait'; step = await at.receive()) {
      if (step.kind === 'ready') return { sent, result: step.result }
      sent.push(step.bytes)
    }
  }
  return { sent, result: undefined }
}

/** A target that goes through SCRAM honestly up to `until`, and then says `then`. */
async function scramUpTo(until: 'first' | 'final', then: (signature: string) => Buffer): Promise<{ result: LoginResult | undefined }> {
  const at = login()
  const server = new ScramServer({ verifier, user: 'u', mockSecret: Buffer.alloc(16) })
  const [initial] = (await feed(at, [SASL])).sent
  const first = encodeAuthenticationSaslContinue(server.first('SCRAM-SHA-256', initial?.toString('utf8', 5 + 'SCRAM-SHA-256\0'.length + 4) ?? ''))
  if (until === 'first') return feed(at, [then('')])
  const [final] = (await feed(at, [first])).sent
  return feed(at, [then(server.final(final?.toString('utf8', 5) ?? '') ?? assert.fail())])
}

describe('a login to a target', () => {
  test('begins with the startup message', () => {
    const bytes = login({ parameters: { application_name: 'x', user: 'overridden' } }).start()
    assert.equal(bytes.toString('latin1'), '\0\0\0\x2e\0\x03\0\0application_name\0x\0user\0u\0database\0d\0\0')
    assert.throws(() => login({ user: 'a\0b' }).start(), /contains a NUL/)
  })

  test('ends the same wherever the bytes are cut', async () => {
    const conversation = Buffer.concat([encodeAuthenticationMd5Password(Buffer.from('salt')), OK, BEGUN, Buffer.from('rest')])
    const whole = await feed(login(), [conversation])
    assert.equal(whole.sent.length, 1)
    assert.deepEqual(whole.result, {
      parameters: new Map([['TimeZone', 'CET']]), backendKey: { processId: -5, secret: Buffer.alloc(256, 3) }, transactionStatus: 'I',
      leftover: Buffer.from('rest'), notices: [NOTICE], protocolMinor: 0, method: 'md5',
    })
    const end = conversation.length - 4
    for (let cut = 1; cut < end; cut++) {
      assert.deepEqual(await feed(login(), [conversation.subarray(0, cut), conversation.subarray(cut)]), whole, `cut at ${cut}`)
    }
    const single = Array.from(conversation.subarray(0, end), (byte) => Buffer.of(byte))
    assert.deepEqual(await feed(login(), single), { ...whole, result: { ...whole.result, leftover: Buffer.alloc(0) } })
  })

  test('believes a target that proved itself in SCRAM', async () => {
    const { result } = await scramUpTo('final', (signature) => Buffer.concat([encodeAuthenticationSaslFinal(signature), OK, BEGUN]))
    assert.equal(result?.method, 'scram-sha-256')
  })

  test('believes no target that skips its proof', async () => {
    await assert.rejects(scramUpTo('first', () => Buffer.concat([OK, BEGUN])), /skipped its own proof/)
    await assert.rejects(scramUpTo('final', () => Buffer.concat([OK, BEGUN])), /skipped its own proof/)
    await assert.rejects(scramUpTo('final', () => encodeAuthenticationSaslFinal(`v=${Buffer.alloc(32).toString('base64')}`)), /wrong SCRAM server signature/)
    await assert.rejects(scramUpTo('first', () => encodeAuthenticationSaslFinal('v=AAAA')), /SASL exchange/)
  })

  test('gives a target that turns to another method in the middle nothing more', async () => {
    for (const request of [encodeAuthenticationCleartextPassword(), encodeAuthenticationMd5Password(Buffer.from('salt')), SASL]) {
      await assert.rejects(scramUpTo('first', () => request), /asks for a password twice/)
    }
  })

  test('takes nothing less than channel binding when that is required', async () => {
    const options = { requireChannelBinding: true, channelBinding: Buffer.alloc(32) }
    for (const request of [OK, SASL, encodeAuthenticationCleartextPassword(), encodeAuthenticationMd5Password(Buffer.from('salt'))]) {
      await assert.rejects(feed(login(options), [request]), /channel binding is required/)
    }
  })

  const violations: [string, Buffer, RegExp][] = [
    ['GSSAPI', message('R', int32(7)), /authentication method 7/],
    ['SSPI', message('R', int32(9)), /authentication method 9/],
    ['Kerberos V5', message('R', int32(2)), /authentication method 2/],
    ['an unknown SASL mechanism', encodeAuthenticationSasl(['OAUTHBEARER']), /no SASL mechanism that the gateway speaks/],
    ['a SASL answer that nobody waits for', encodeAuthenticationSaslContinue('r=1'), /SASL exchange/],
    ['rows', message('D', Buffer.alloc(2)), /unexpected message of type "D"/],
    ['readiness before authentication', encodeReadyForQuery('I'), /unexpected message of type "Z"/],
    ['a request for a password after all', Buffer.concat([OK, encodeAuthenticationCleartextPassword()]), /unexpected message of type "R"/],
    ['a cancel key too long', Buffer.concat([OK, encodeBackendKeyData(1, Buffer.alloc(257))]), /cancel key/],
    ['an unknown transaction status', Buffer.concat([OK, message('Z', Buffer.from('X'))]), /transaction status/],
    ['a message of 64 MiB', Buffer.from([0x45, 4, 0, 0, 0]), /length of a message/],
    ['a message of 3 bytes', Buffer.from([0x45, 0, 0, 0, 3]), /length of a message/],
    ['HTTP', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), /length of a message/],
    ['a newer protocol than was asked for', message('v', int32((3 << 16) | 2), int32(0)), /protocol negotiation/],
    ['options that nobody asked for', message('v', int32(3 << 16), int32(1), '_pq_.x'), /protocol options/],
  ]
  for (const [what, bytes, expected] of violations) {
    test(`ends when the target sends ${what}`, async () => {
      await assert.rejects(feed(login(), [bytes]), { code: 'TARGET_UNAVAILABLE', message: expected })
    })
  }

  test('ends when the target goes on and on', async () => {
    const many = Array.from({ length: Math.ceil(MAX_LOGIN_BYTES / NOTICE.length) + 1 }, () => NOTICE)
    await assert.rejects(feed(login(), many), /sent more than 1048576 bytes before the session began/)
  })

  test('passes all fields of a refusal on', async () => {
    const refusal = { severityText: 'FATAL', severity: 'FATAL', code: '53300', message: 'too many clients', hint: 'later' }
    await assert.rejects(feed(login(), [encodeError(refusal)]), { message: 'the target refused: too many clients (53300)', fields: refusal })
  })

  test('shows no password in an error', async () => {
    const asked = feed(login({ password: { reveal: () => 'hunter2' }, encrypted: false }), [encodeAuthenticationCleartextPassword()])
    await assert.rejects(asked, (error: Error) => {
      assert.match(error.message, /in the clear/)
      assert.doesNotMatch(`${error.stack} ${JSON.stringify(error)}`, /hunter2/)
      return true
    })
  })
})
