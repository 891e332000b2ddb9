import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { format, inspect } from 'node:util'
import { createEnvironmentSource, createFileSource, isReference, MAX_SECRET_FILE_BYTES, resolveReferences, Secret } from '../../../core/credentials/index.ts'

const VALUE = 'hunter2'
const folder = mkdtempSync(join(tmpdir(), 'sallyport-credentials-'))
after(() => rmSync(folder, { recursive: true }))
const sources = [createEnvironmentSource({ PASSWORD: VALUE, OTHER: 'x${env:PASSWORD}', EMPTY: '' }), createFileSource(folder)]

describe('a secret', () => {
  test('shows itself only when asked', () => {
    const secret = new Secret(VALUE)
    const shown = [String(secret), 'a'.concat(secret as unknown as string), JSON.stringify({ secret }), inspect({ deep: [secret] }, { showHidden: true, depth: 9 }), format('%s %o %j', secret, secret, secret)]
    for (const text of shown) assert.doesNotMatch(text, new RegExp(VALUE))
    assert.equal(JSON.stringify({ secret }), '{"secret":"[secret]"}')
    assert.equal(secret.reveal(), VALUE)
  })
})

describe('references', () => {
  test('are replaced by what they name, once, wherever they stand', async () => {
    writeFileSync(join(folder, 'token'), `${VALUE}\n`)
    symlinkSync('token', join(folder, 'link'))
    const expected: Record<string, string> = {
      '${env:PASSWORD}': VALUE,
      '${file:token}': VALUE,
      '${file:link}': VALUE,
      [`\${file:${join(folder, 'token')}}`]: VALUE,
      'postgres://u:${env:PASSWORD}@h/${file:token}': `postgres://u:${VALUE}@h/${VALUE}`,
      '${env:OTHER}': 'x${env:PASSWORD}',
      'SCRAM-SHA-256$4096:a$b:c': 'SCRAM-SHA-256$4096:a$b:c',
      '$${env:PASSWORD} $ {}': '${env:PASSWORD} $ {}',
    }
    for (const [text, value] of Object.entries(expected)) assert.equal((await resolveReferences(text, sources)).reveal(), value, text)
  })

  test('are told from values', () => {
    assert.equal(isReference('${env:NAME}'), true)
    for (const text of ['secret', 'x${env:NAME}', '${env:}', '${NAME}', '${env:A}${env:B}', '']) assert.equal(isReference(text), false, text)
  })

  const wrong: [string, RegExp][] = [
    ['${env:MISSING}', /^the reference \$\{env:MISSING\} names an environment variable that is not set$/],
    ['${env:EMPTY}', /\$\{env:EMPTY\} names an environment variable that is empty/],
    ['${env:toString}', /not set/],
    ['${file:missing}', /\$\{file:missing\} names a file that cannot be read \(ENOENT\)/],
    ['${file:.}', /\$\{file:\.\} (does not name a regular file|names a file that cannot be read)/],
    ['${vault:x}', /\$\{vault:x\} names an unknown source; there are: env, file/],
    ['${env:PASSWORD}${', /a reference looks like/],
    ['${PASSWORD}', /a reference looks like/],
  ]
  for (const [text, message] of wrong) {
    test(`that cannot be resolved are named: ${text}`, async () => {
      await assert.rejects(resolveReferences(text, sources), (error: { code: string; message: string }) => {
        assert.equal(error.code, 'CONFIG_INVALID')
        assert.match(error.message, message)
        assert.ok(!error.message.includes(VALUE))
        return true
      })
    })
  }

  test('to files that are empty, too large, no text, or no files are refused', async () => {
    writeFileSync(join(folder, 'empty'), '\n')
    writeFileSync(join(folder, 'large'), '')
    truncateSync(join(folder, 'large'), MAX_SECRET_FILE_BYTES + 1)
    writeFileSync(join(folder, 'binary'), Buffer.from([0xff, 0xfe]))
    execFileSync('mkfifo', [join(folder, 'pipe')])
    await assert.rejects(resolveReferences('${file:empty}', sources), /names a file that is empty/)
    await assert.rejects(resolveReferences('${file:large}', sources), /names a file of more than 1048576 bytes/)
    await assert.rejects(resolveReferences('${file:binary}', sources), /names a file that is not UTF-8 text/)
    await assert.rejects(resolveReferences('${file:pipe}', sources), /does not name a regular file/)
  })
})
