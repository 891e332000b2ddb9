import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { parse } from 'yaml'
import { cli } from '../../../gateway/cli/cli-run.ts'
import { type PostgresServer, postgresUnavailable, startPostgres } from '../../../support/postgres-server.ts'
import { CLINIC, CLINIC_SQL, VALUES } from './clinic.ts'

describe('sallyport classify', { skip: postgresUnavailable(18) ?? false }, () => {
  let postgres: PostgresServer
  let folder = ''
  const env = { CLINIC_PASSWORD: '' }
  before(async () => {
    postgres = await startPostgres({ major: 18 })
    await postgres.query(CLINIC_SQL)
    await postgres.query('create database other')
    env.CLINIC_PASSWORD = postgres.password
    folder = mkdtempSync(join(tmpdir(), 'sallyport-classify-'))
    await cli(folder, ['init'])
    configure('')
  })
  after(async () => {
    await postgres.stop()
    rmSync(folder, { recursive: true })
  })

  /** A configuration with one target, and `classes` pasted under it. */
  function configure(classes: string, port = postgres.port): void {
    const target = `targets:\n  clinic:\n    protocol: postgresql\n    host: 127.0.0.1\n    port: ${port}\n    database: postgres\n    user: postgres\n    password: "\${env:CLINIC_PASSWORD}"\n    tls: { mode: disable }\n${classes}`
    writeFileSync(join(folder, 'sallyport.yaml'), `${target}listeners:\n  - { protocol: postgresql, listen: 127.0.0.1:0 }\npeople:\n  ada: {}\nrules: { folder: ./rules }\n`)
  }

  test('prints a block to paste under the target, which is then fine, and proposes nothing twice', async () => {
    const printed = await cli(folder, ['classify', 'clinic'], { env })
    assert.deepEqual([printed.code, printed.stderr], [0, ''])
    assert.match(printed.stdout, /^ {4}# clinic, database postgres: 37 of 78 columns in 8 tables; values of 8 tables were looked at\.\n/)
    assert.match(printed.stdout, /^ {6}public\.patients\.email: pii\.email +# 0\.99: name and 100 % of 200 sampled values$/m)
    assert.deepEqual((parse(printed.stdout) as { classes: unknown }).classes, CLINIC)
    configure(printed.stdout)
    const checked = await cli(folder, ['check', '--no-secrets'])
    assert.equal(checked.code, 0, checked.stderr)
    const again = await cli(folder, ['classify', 'clinic'], { env })
    assert.match(again.stdout, /: 0 of 78 columns/)
    assert.deepEqual((parse(again.stdout) as { classes: unknown }).classes, CLINIC)
    configure('')
  })

  test('prints no value that it looked at, in any form of output', async () => {
    for (const args of [[], ['--json'], ['--no-sample']]) {
      const { code, stdout, stderr } = await cli(folder, ['classify', 'clinic', ...args], { env })
      assert.equal(code, 0)
      for (const value of VALUES) assert.ok(!`${stdout}${stderr}`.includes(value), `${args.join()} tells ${value}`)
    }
    assert.deepEqual(readFileSync(join(folder, 'sallyport.yaml'), 'utf8').match(/patient\d/), null)
  })

  test('prints a document for each proposal as JSON', async () => {
    const { stdout } = await cli(folder, ['classify', 'clinic', '--json'], { env })
    const proposals = stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as { column: string; class: string; confidence: number; why: string })
    assert.deepEqual(Object.fromEntries(proposals.map((proposal) => [proposal.column, proposal.class])), CLINIC)
    assert.ok(proposals.every(({ confidence, why }) => confidence >= 0.5 && confidence <= 0.99 && why !== ''))
  })

  test('writes names of any kind as keys that YAML reads back', async () => {
    await postgres.query(`create table "od:d # t" ("e-mail: x" text, "phone\n    classes: {}" text, "Phone\u202e" text)`, 'other')
    const { code, stdout } = await cli(folder, ['classify', 'clinic', '--database', 'other', '--no-sample'], { env })
    assert.equal(code, 0)
    const { classes } = parse(stdout) as { classes: Record<string, string> }
    assert.deepEqual(Object.keys(classes).toSorted(), ['public."od:d # t"."e-mail: x"', 'public."od:d # t"."phone\n    classes: {}"', 'public."od:d # t".Phone\u202e'])
    assert.ok(!stdout.includes('\u202e'))
    await postgres.query(`drop table "od:d # t"; create table "x#y" (email text, "Phone:" text, "null" text)`, 'other')
    const named = await cli(folder, ['classify', 'clinic', '--database', 'other', '--no-sample'], { env })
    assert.deepEqual((parse(named.stdout) as { classes: unknown }).classes, { 'public.x#y.email': 'pii.email', 'public.x#y.Phone:': 'pii.phone' })
  })

  test('says what is wrong: no such target, no secret, nobody there', async () => {
    const unknown = await cli(folder, ['classify', 'clinc'], { env })
    assert.deepEqual([unknown.code, unknown.stderr], [2, 'there is no target "clinc"; the configuration has clinic\n'])
    const secretless = await cli(folder, ['classify', 'clinic'])
    assert.equal(secretless.code, 3)
    assert.match(secretless.stderr, /^targets\.clinic: .*CLINIC_PASSWORD/)
    configure('', 1)
    const unreachable = await cli(folder, ['classify', 'clinic'], { env })
    assert.equal(unreachable.code, 4)
    assert.match(unreachable.stderr, /TARGET_UNAVAILABLE/)
    configure('')
  })
})
