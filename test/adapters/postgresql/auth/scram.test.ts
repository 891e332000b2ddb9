import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ScramClient } from '../../../../adapters/postgresql/auth/scram-client.ts'
import { SCRAM, SCRAM_PLUS, ScramServer, type ScramServerOptions } from '../../../../adapters/postgresql/auth/scram-server.ts'
import { createVerifier, formatVerifier, mockVerifier, parseVerifier } from '../../../../adapters/postgresql/auth/scram-verifier.ts'

/** RFC 7677, section 3. */
const VECTOR = {
  user: 'user',
  password: 'pencil',
  salt: Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'),
  clientNonce: 'rOprNGfwEbeRWgbNEkqO',
  serverNonce: '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
  clientFirst: 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
  serverFirst: 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
  clientFinal: 'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  serverFinal: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
}
const MOCK_SECRET = Buffer.alloc(32, 7)
const BINDING = Buffer.alloc(32, 9)
const verifier = parseVerifier(await createVerifier('pencil', { salt: VECTOR.salt }))

function server(options: Partial<ScramServerOptions> = {}): ScramServer {
  return new ScramServer({ verifier, user: 'user', mockSecret: MOCK_SECRET, ...options })
}

async function exchange(scramServer: ScramServer, client: ScramClient): Promise<string | undefined> {
  const final = scramServer.final(await client.final(scramServer.first(client.mechanism, client.first())))
  if (final !== undefined) client.verify(final)
  return final
}

describe('SCRAM-SHA-256', () => {
  test('the server says what RFC 7677 says', () => {
    const scram = server({ nonce: VECTOR.serverNonce })
    assert.equal(scram.first(SCRAM, VECTOR.clientFirst), VECTOR.serverFirst)
    assert.equal(scram.final(VECTOR.clientFinal), VECTOR.serverFinal)
  })

  test('the client says what RFC 7677 says, and believes its server only', async () => {
    const client = new ScramClient({ ...VECTOR, offered: [SCRAM], nonce: VECTOR.clientNonce })
    assert.equal(client.first(), VECTOR.clientFirst)
    assert.equal(await client.final(VECTOR.serverFirst), VECTOR.clientFinal)
    client.verify(VECTOR.serverFinal)
    assert.throws(() => client.verify(`v=${Buffer.alloc(32).toString('base64')}`), /wrong SCRAM server signature/)
    assert.throws(() => client.verify('e=other-error'), /wrong SCRAM server signature/)
  })

  test('a wrong password and an unknown user both come to nothing, after the same exchange', async () => {
    const wrong = new ScramClient({ password: 'pencils', offered: [SCRAM] })
    assert.equal(await exchange(server(), wrong), undefined)
    const unknown = server({ verifier: undefined, user: 'nobody' })
    assert.equal(await exchange(unknown, new ScramClient({ password: 'pencil', offered: unknown.mechanisms })), undefined)
  })

  test('an unknown user has a salt that is its own and stays the same', () => {
    const salts = ['ann', 'ann', 'bob'].map((user) => mockVerifier(user, MOCK_SECRET).salt.toString('hex'))
    assert.equal(salts[0], salts[1])
    assert.notEqual(salts[0], salts[2])
    assert.equal(salts[0]?.length, 32)
    assert.notEqual(mockVerifier('ann', Buffer.alloc(32, 8)).salt.toString('hex'), salts[0])
  })

  test('channel binding is used when both have it, and the bound channel must be the same', async () => {
    const same = server({ channelBinding: BINDING })
    const client = new ScramClient({ password: 'pencil', offered: same.mechanisms, channelBinding: BINDING })
    assert.equal(client.mechanism, SCRAM_PLUS)
    assert.match((await exchange(same, client)) ?? '', /^v=/)
    const other = server({ channelBinding: Buffer.alloc(32, 1) })
    const relayed = new ScramClient({ password: 'pencil', offered: other.mechanisms, channelBinding: BINDING })
    await assert.rejects(exchange(other, relayed), { sqlState: '28000', message: 'SCRAM channel binding check failed' })
  })

  test('a client that was kept from seeing the stronger mechanism is told so', () => {
    const scram = server({ channelBinding: BINDING })
    assert.throws(() => scram.first(SCRAM, 'y,,n=,r=abc'), /channel binding negotiation error/)
    assert.match(server().first(SCRAM, 'y,,n=,r=abc'), /^r=abc/)
  })

  test('a client that demands channel binding takes nothing less', () => {
    assert.throws(() => new ScramClient({ password: 'x', offered: [SCRAM], channelBinding: BINDING, requireChannelBinding: true }), /channel binding is required/)
    assert.throws(() => new ScramClient({ password: 'x', offered: [SCRAM, SCRAM_PLUS], requireChannelBinding: true }), /channel binding is required/)
  })

  const badFirst: [string, string, string, boolean?][] = [
    ['a mechanism that was not offered', SCRAM_PLUS, 'p=tls-server-end-point,,n=,r=abc'],
    ['another binding type', SCRAM_PLUS, 'p=tls-unique,,n=,r=abc', true],
    ['a binding in the mechanism without', SCRAM, 'p=tls-server-end-point,,n=,r=abc', true],
    ['no binding in the mechanism with', SCRAM_PLUS, 'n,,n=,r=abc', true],
    ['an authorization identity', SCRAM, 'n,a=root,n=,r=abc'],
    ['a mandatory extension', SCRAM, 'n,,m=x,n=,r=abc'],
    ['an empty nonce', SCRAM, 'n,,n=,r='],
    ['a control character in the nonce', SCRAM, 'n,,n=,r=a\x01'],
    ['nothing', SCRAM, ''],
    ['a message too long', SCRAM, `n,,n=,r=${'a'.repeat(2000)}`],
  ]
  for (const [what, mechanism, message, bound] of badFirst) {
    test(`refuses ${what} in the first message`, () => {
      const scram = server(bound === true ? { channelBinding: BINDING } : {})
      assert.throws(() => scram.first(mechanism, message), { code: 'PROTOCOL_VIOLATION' })
    })
  }

  const proof = VECTOR.clientFinal.split(',p=')[1] ?? ''
  const nonce = VECTOR.clientNonce + VECTOR.serverNonce
  const badFinal: [string, string][] = [
    ['another nonce', `c=biws,r=${nonce}x,p=${proof}`],
    ['another header', `c=eSws,r=${nonce},p=${proof}`],
    ['a proof of the wrong length', `c=biws,r=${nonce},p=AAAA`],
    ['a proof that is not strict base64', `c=biws,r=${nonce},p=${proof.slice(0, -1)}`],
    ['no proof', `c=biws,r=${nonce}`],
    ['something behind the proof', `${VECTOR.clientFinal},x=y`],
  ]
  for (const [what, message] of badFinal) {
    test(`refuses ${what} in the final message`, () => {
      const scram = server({ nonce: VECTOR.serverNonce })
      scram.first(SCRAM, VECTOR.clientFirst)
      assert.throws(() => scram.final(message), { code: 'PROTOCOL_VIOLATION' })
    })
  }

  test('steps out of order are refused', () => {
    assert.throws(() => server().final(VECTOR.clientFinal), { code: 'PROTOCOL_VIOLATION' })
    const scram = server()
    scram.first(SCRAM, VECTOR.clientFirst)
    assert.throws(() => scram.first(SCRAM, VECTOR.clientFirst), { code: 'PROTOCOL_VIOLATION' })
  })

  test('a target that wants endless work, or another nonce, is refused', async () => {
    const client = new ScramClient({ password: 'x', offered: [SCRAM], nonce: 'abc' })
    await assert.rejects(client.final('r=abcdef,s=AAAA,i=9999999'), /malformed SCRAM message/)
    await assert.rejects(client.final('r=xyzdef,s=AAAA,i=4096'), /another SCRAM nonce/)
    await assert.rejects(client.final('r=abc,s=AAAA,i=4096'), /another SCRAM nonce/)
  })
})

describe('SCRAM verifiers', () => {
  test('survive being written and read', async () => {
    const text = await createVerifier('pencil')
    assert.match(text, /^SCRAM-SHA-256\$4096:[A-Za-z0-9+/]{22}==\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=$/)
    assert.equal(formatVerifier(parseVerifier(text)), text)
    assert.notEqual(await createVerifier('pencil'), text)
  })

  test('that are broken are refused without being shown', async () => {
    const text = await createVerifier('pencil')
    const broken = ['', 'md5abc', text.slice(0, -1), text.replace('4096', '0'), text.replace('4096', '9999999'), text.replace(/:[^$]+\$/, ':$'), `${text}\n`, text.replace('256$', '1$')]
    for (const candidate of broken) {
      const shown = assert.throws(() => parseVerifier(candidate), (error: Error & { code: string }) => error.code === 'CONFIG_INVALID' && !error.message.includes(text.slice(20, 40)))
      assert.equal(shown, undefined)
    }
  })
})
