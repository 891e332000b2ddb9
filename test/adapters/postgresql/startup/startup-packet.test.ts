import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { encodeNegotiateProtocolVersion, negotiateProtocol } from '../../../../adapters/postgresql/startup/backend-messages.ts'
import { ClientStartup, type StartupStep } from '../../../../adapters/postgresql/startup/client-startup.ts'
import { parseStartupPacket, startupPacketLength } from '../../../../adapters/postgresql/startup/startup-packet.ts'

/** Bytes built here by hand, apart from the encoders that are tested elsewhere. */
function packet(code: readonly number[], payload: string | Buffer = ''): Buffer {
  const body = Buffer.concat([Buffer.from(code), Buffer.from(payload as string, 'latin1')])
  const length = Buffer.alloc(4)
  length.writeInt32BE(body.length + 4)
  return Buffer.concat([length, body])
}

const V3_0 = [0, 3, 0, 0]
const V3_2 = [0, 3, 0, 2]
const SSL_REQUEST = packet([4, 210, 22, 47])
const GSSENC_REQUEST = packet([4, 210, 22, 48])
const CANCEL = [4, 210, 22, 46]
const STARTUP = packet(V3_0, 'user\0ann\0database\0shop\0application_name\0psql\0\0')

function startupOf(bytes: Buffer): Extract<ReturnType<typeof parseStartupPacket>, { kind: 'startup' }> {
  const parsed = parseStartupPacket(bytes)
  assert.equal(parsed.kind, 'startup')
  return parsed as ReturnType<typeof startupOf>
}

describe('the first packet', () => {
  test('is a request for encryption', () => {
    assert.deepEqual(parseStartupPacket(SSL_REQUEST), { kind: 'ssl-request' })
    assert.deepEqual(parseStartupPacket(GSSENC_REQUEST), { kind: 'gssenc-request' })
  })

  test('is a request to cancel, with a key of 4 to 256 bytes', () => {
    for (const length of [4, 32, 256]) {
      const secret = Buffer.alloc(length, 0xab)
      const parsed = parseStartupPacket(packet(CANCEL, Buffer.concat([Buffer.from([0, 0, 18, 103]), secret])))
      assert.deepEqual(parsed, { kind: 'cancel-request', processId: 4711, secret })
    }
    for (const length of [0, 3, 257]) {
      assert.throws(() => parseStartupPacket(packet(CANCEL, Buffer.alloc(4 + length))), /invalid length of cancel request/)
    }
  })

  test('is a startup message with its parameters', () => {
    const { user, database, major, minor, parameters, protocolOptions } = startupOf(STARTUP)
    assert.deepEqual({ user, database, major, minor, protocolOptions }, { user: 'ann', database: 'shop', major: 3, minor: 0, protocolOptions: [] })
    assert.deepEqual([...parameters], [['user', 'ann'], ['database', 'shop'], ['application_name', 'psql']])
  })

  test('names the database as the user when it names none', () => {
    assert.equal(startupOf(packet(V3_0, 'user\0ann\0\0')).database, 'ann')
    assert.equal(startupOf(packet(V3_0, 'user\0ann\0database\0\0\0')).database, 'ann')
  })

  test('keeps the last of a parameter that comes twice', () => {
    assert.equal(startupOf(packet(V3_0, 'user\0ann\0user\0root\0\0')).user, 'root')
  })

  test('keeps protocol options apart', () => {
    const startup = startupOf(packet(V3_2, 'user\0ann\0_pq_.gzip\0on\0_pq_.x\0\0\0'))
    assert.deepEqual(startup.protocolOptions, ['_pq_.gzip', '_pq_.x'])
    assert.equal(startup.parameters.has('_pq_.gzip'), false)
  })

  test('reads names in UTF-8 and guesses no other encoding', () => {
    assert.equal(startupOf(packet(V3_0, Buffer.from('user\0jörg\0\0').toString('latin1'))).user, 'jörg')
    assert.throws(() => parseStartupPacket(packet(V3_0, 'user\0j\xf6rg\0\0')), { sqlState: '22021', message: 'startup parameter "user" is not valid UTF-8' })
    const named = startupOf(packet(V3_0, 'user\0ann\0application_name\0B\xfccher\0\0'))
    assert.equal(named.parameters.get('application_name'), 'B\\xfccher')
  })

  const broken: [string, Buffer, string][] = [
    ['no user', packet(V3_0, 'database\0shop\0\0'), '28000'],
    ['an empty user', packet(V3_0, 'user\0\0\0'), '28000'],
    ['protocol 2', packet([0, 2, 0, 0], 'user\0ann\0\0'), '0A000'],
    ['protocol 4', packet([0, 4, 0, 0], 'user\0ann\0\0'), '0A000'],
    ['an unknown special code', packet([4, 210, 0, 1]), '0A000'],
    ['no terminator', packet(V3_0, 'user\0ann\0'), '08P01'],
    ['a name without value', packet(V3_0, 'user\0ann\0x'), '08P01'],
    ['something behind the terminator', packet(V3_0, 'user\0ann\0\0x'), '08P01'],
    ['an empty name in the middle', packet(V3_0, '\0x\0user\0ann\0\0'), '08P01'],
    ['a payload behind SSLRequest', packet([4, 210, 22, 47], 'x'), '08P01'],
    ['nothing but the code', packet(V3_0), '08P01'],
  ]
  for (const [what, bytes, sqlState] of broken) {
    test(`is refused with ${what}`, () => {
      assert.throws(() => parseStartupPacket(bytes), { code: 'PROTOCOL_VIOLATION', sqlState })
    })
  }

  test('is not waited for when it claims more than 10,000 bytes, or fewer than it must have', () => {
    const claims = (length: number): Buffer => Buffer.from([length >>> 24, length >>> 16, length >>> 8, length])
    assert.equal(startupPacketLength(claims(10_004)), 10_004)
    for (const length of [10_005, 0x7fff_ffff, 0xffff_ffff, 0, 7]) {
      assert.throws(() => new ClientStartup({ tls: false }).receive(claims(length)), /invalid length of startup packet/)
    }
  })
})

describe('protocol negotiation', () => {
  test('says nothing to a client that asks for what there is', () => {
    assert.deepEqual(negotiateProtocol({ minor: 0, protocolOptions: [] }), { minor: 0 })
    assert.deepEqual(negotiateProtocol({ minor: 2, protocolOptions: [] }), { minor: 2 })
  })

  test('names the newest version, and each option that is not known', () => {
    const answer = Buffer.from('v\0\0\0\x1f\0\x03\0\x02\0\0\0\x02_pq_.gzip\0_pq_.lz4\0', 'latin1')
    assert.deepEqual(negotiateProtocol({ minor: 9999, protocolOptions: ['_pq_.gzip', '_pq_.lz4'] }), { minor: 2, answer })
    assert.deepEqual(encodeNegotiateProtocolVersion(0, []), Buffer.from('v\0\0\0\x0c\0\x03\0\0\0\0\0\0', 'latin1'))
  })
})

describe('everything before authentication', () => {
  function feed(startup: ClientStartup, chunks: readonly Buffer[]): StartupStep[] {
    const steps: StartupStep[] = []
    for (const chunk of chunks) {
      for (let step = startup.receive(chunk); step.kind !== 'wait'; step = startup.receive()) {
        steps.push(step)
        if (step.kind === 'startup') return steps
      }
    }
    return steps
  }
  const kinds = (steps: readonly StartupStep[]): string[] => steps.map(({ kind }) => kind)

  test('is the same wherever the bytes are cut', () => {
    const conversation = Buffer.concat([GSSENC_REQUEST, SSL_REQUEST, STARTUP, Buffer.from('p...')])
    const whole = feed(new ClientStartup({ tls: false }), [conversation])
    assert.deepEqual(kinds(whole), ['answer', 'answer', 'startup'])
    assert.equal((whole[2] as { leftover: Buffer }).leftover.toString(), 'p...')
    for (let cut = 1; cut < conversation.length - 4; cut++) {
      assert.deepEqual(kinds(feed(new ClientStartup({ tls: false }), [conversation.subarray(0, cut), conversation.subarray(cut)])), kinds(whole), `cut at ${cut}`)
    }
    const single = Array.from(conversation.subarray(0, -4), (byte) => Buffer.of(byte))
    assert.deepEqual(kinds(feed(new ClientStartup({ tls: false }), single)), kinds(whole))
  })

  test('goes over to TLS when it is asked and there is a certificate', () => {
    const startup = new ClientStartup({ tls: true })
    assert.deepEqual(startup.receive(SSL_REQUEST), { kind: 'upgrade', bytes: Buffer.from('S') })
    assert.equal(startup.encrypted, true)
    assert.equal(startup.receive(STARTUP).kind, 'startup')
  })

  test('answers N where there is no certificate, and goes on in the clear', () => {
    const startup = new ClientStartup({ tls: false })
    assert.deepEqual(startup.receive(SSL_REQUEST), { kind: 'answer', bytes: Buffer.from('N') })
    assert.equal(startup.encrypted, false)
  })

  test('refuses plain bytes that came together with SSLRequest', () => {
    assert.throws(() => new ClientStartup({ tls: true }).receive(Buffer.concat([SSL_REQUEST, STARTUP])), /received unencrypted data after SSL request/)
  })

  test('refuses to be asked the same twice', () => {
    for (const request of [SSL_REQUEST, GSSENC_REQUEST]) {
      const startup = new ClientStartup({ tls: false })
      startup.receive(request)
      assert.throws(() => startup.receive(request), { code: 'PROTOCOL_VIOLATION' })
    }
  })

  test('sees a client that begins with TLS, and hands over what it sent', () => {
    const hello = Buffer.from([0x16, 3, 1, 2, 0])
    assert.deepEqual(new ClientStartup({ tls: true }).receive(hello), { kind: 'direct-tls', received: hello })
    assert.throws(() => new ClientStartup({ tls: false }).receive(hello), /TLS is not set up here/)
    const late = new ClientStartup({ tls: true })
    late.receive(SSL_REQUEST)
    assert.throws(() => late.receive(hello), /invalid length/)
  })
})
