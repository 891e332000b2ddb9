import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { deriveKeys } from '../../../../adapters/postgresql/auth/scram-keys.ts'
import { parseVerifier } from '../../../../adapters/postgresql/auth/scram-verifier.ts'
import { saslprep } from '../../../../adapters/postgresql/auth/saslprep.ts'
import { type PostgresServer, postgresUnavailable, startPostgres } from '../../../support/postgres-server.ts'

describe('saslprep', () => {
  /** RFC 4013, section 3; where it prohibits, PostgreSQL takes the password as it is. */
  const examples: [string, string, string][] = [
    ['maps a soft hyphen to nothing', 'I\u00adX', 'IX'],
    ['leaves a name alone', 'user', 'user'],
    ['keeps case', 'USER', 'USER'],
    ['normalises a feminine ordinal', '\u00aa', 'a'],
    ['normalises a roman nine', '\u2168', 'IX'],
    ['keeps a control character as it is', '\u0007', '\u0007'],
    ['keeps what breaks the direction as it is', '\u06271', '\u06271'],
    ['maps wide spaces to a space', 'a\u3000b', 'a b'],
    ['keeps a password of nothing but ignorable characters', '\u00ad', '\u00ad'],
  ]
  for (const [what, password, prepared] of examples) test(what, () => assert.equal(saslprep(password), prepared))
})

describe('passwords as PostgreSQL prepares them', { skip: postgresUnavailable(18) ?? false }, () => {
  let postgres: PostgresServer
  before(async () => {
    postgres = await startPostgres({ major: 18, settings: { scram_iterations: '1' } })
  })
  after(() => postgres.stop())

  test('400 passwords of strange characters give the keys that the server keeps', async () => {
    const passwords = Array.from({ length: 400 }, (_, seed) => strangePassword(seed))
    const changes = passwords.map((password, index) => `create role r${index} password '${password.replaceAll("'", "''")}'`)
    await postgres.query(changes.join(';'))
    const rows = await postgres.query("select rolname, rolpassword from pg_authid where rolname ~ '^r[0-9]+$'")
    assert.equal(rows.length, passwords.length)
    let prepared = 0
    for (const { rolname, rolpassword } of rows) {
      const password = passwords[Number(String(rolname).slice(1))] ?? ''
      const { salt, iterations, storedKey, serverKey } = parseVerifier(String(rolpassword))
      const keys = await deriveKeys(password, salt, iterations)
      assert.deepEqual([keys.storedKey, keys.serverKey], [storedKey, serverKey], JSON.stringify(password))
      if (saslprep(password) !== password) prepared++
    }
    assert.ok(prepared > 40 && prepared < 360, `${prepared} of ${passwords.length} were changed: both ways are to be seen`)
  })
})

/** Blocks that hold what SASLprep treats differently: ASCII, Latin, Arabic, Hebrew, spaces, tags, compatibility, unassigned. */
const BLOCKS: [number, number][] = [[0x20, 0x7e], [0xa0, 0x17f], [0x300, 0x36f], [0x590, 0x6ff], [0x2000, 0x206f], [0x2100, 0x218f], [0x3000, 0x30ff], [0xfb00, 0xfdff], [0xfe00, 0xffef], [0x1d400, 0x1d7ff]]

/** The same for the same seed. */
function strangePassword(seed: number): string {
  let state = seed * 2654435761 + 1
  const next = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  return Array.from({ length: 1 + next(5) }, () => {
    const [first, last] = BLOCKS[next(BLOCKS.length)] ?? [0x61, 0x7a]
    return String.fromCodePoint(first + next(last - first + 1))
  }).join('')
}
