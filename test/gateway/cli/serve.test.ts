import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import pg from 'pg'
import { createVerifier } from '../../../adapters/postgresql/auth/scram-verifier.ts'
import { mintToken } from '../../../gateway/api/index.ts'
import { postgresUnavailable, startPostgres, type PostgresServer } from '../../support/postgres-server.ts'
import { cli, ended, startServe, type CliResult } from './cli-run.ts'

const unavailable = postgresUnavailable(18)
if (unavailable !== undefined) console.log(`skipped: ${unavailable}`)

interface Ready { readonly listeners: { port: number }[]; readonly api: string; readonly ruleset: { rules: number } }

const RULES: Readonly<Record<string, string>> = {
  'allow-most': '/* What is not spoken of is allowed here. */\n{ "effect": "allow", "reason": "allowed" }',
  'block-drop': '/* No drops. */\n"drop" in command.actions ? { "effect": "block", "reason": "nobody drops tables" }',
  'hold-updates': '/* Somebody else looks first. */\n"update" in command.actions ? { "effect": "await-approval", "reason": "a second person looks" }',
}

describe('sallyport serve, in front of a real PostgreSQL', { skip: unavailable ?? false }, () => {
  let postgres: PostgresServer
  let folder = ''
  const [ada, grace] = [mintToken(), mintToken()]
  let running: Awaited<ReturnType<typeof startServe>> | undefined
  const env = (): Record<string, string> => ({ TARGET_PASSWORD: postgres.password })

  before(async () => {
    postgres = await startPostgres({ major: 18 })
    await postgres.query('CREATE TABLE orders (id int PRIMARY KEY, amount int); INSERT INTO orders VALUES (1, 10), (2, 20)')
  })
  after(async () => { await postgres.stop() })
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sp-serve-'))
    mkdirSync(join(folder, 'rules'))
    for (const [rule, source] of Object.entries(RULES)) writeFileSync(join(folder, 'rules', `${rule}.jsonata`), `${source}\n`)
    writeFileSync(join(folder, 'sallyport.yaml'), `
listeners: [{ protocol: postgresql, listen: "127.0.0.1:0" }]
approvals: { approvers: [group:reviewers], timeout: 1m }
targets:
  shop: { protocol: postgresql, host: 127.0.0.1, port: ${postgres.port}, database: postgres, user: postgres, password: "\${env:TARGET_PASSWORD}", tls: { mode: disable } }
people:
  ada: { groups: [engineers, reviewers], postgresql: { verifier: "${await createVerifier('ada secret')}" }, api: { token: "${ada.digest}" } }
  grace: { groups: [reviewers], api: { token: "${grace.digest}", operator: true } }
`)
  })
  afterEach(async () => {
    running?.child.kill('SIGKILL')
    if (running !== undefined) await ended(running.child)
    running = undefined
    rmSync(folder, { recursive: true })
  })

  const serve = async (): Promise<Ready> => {
    running = await startServe(folder, env())
    return JSON.parse(running.first) as Ready
  }
  const connect = async ({ listeners: [listener] }: Ready): Promise<pg.Client> => {
    const client = new pg.Client({ host: '127.0.0.1', port: listener?.port ?? 0, user: 'ada', password: 'ada secret', database: 'shop' })
    client.on('error', () => {})
    await client.connect()
    return client
  }
  const ask = async (who: { token: string }, ...args: string[]): Promise<CliResult> => cli(folder, args, { env: { SALLYPORT_TOKEN: who.token } })
  const json = async <T>(who: { token: string }, ...args: string[]): Promise<T[]> => {
    const { code, stdout, stderr } = await ask(who, ...args, '--json')
    assert.deepEqual([code, stderr], [0, ''])
    return stdout.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as T)
  }
  const eventually = async <T>(look: () => Promise<T | undefined>): Promise<T> => {
    for (;;) {
      const found = await look()
      if (found !== undefined) return found
    }
  }

  test('a grant shows a masked column to whom it is for, over a restart, until it is revoked; the audit says which commands used it', async () => {
    writeFileSync(join(folder, 'rules', 'mask-amount.jsonata'), '/* Nobody sees amounts. */\n"public.orders" in command.sql.reads ? { "effect": "mask", "reason": "amounts", "columns": { "public.orders.amount": "null" } }\n')
    const amounts = async (client: pg.Client): Promise<unknown[]> => (await client.query<{ amount: unknown }>('SELECT amount FROM orders ORDER BY id')).rows.map(({ amount }) => amount)
    const first = await connect(await serve())
    assert.deepEqual(await amounts(first), [null, null])
    const issue = ['grants', 'issue', '--to', 'ada', '--target', 'shop', '--columns', 'public.orders.amount', '--for', '10m', '--reason', 'ticket 42']
    const own = await ask(ada, ...issue)
    assert.deepEqual([own.code, /a second person \[GRANT_REFUSED\]/.test(own.stderr)], [1, true], own.stderr)
    const issued = await ask(grace, ...issue)
    const id = /^grant: {3}([0-9a-z]+) \(issued\)/.exec(issued.stdout)?.[1] ?? ''
    assert.notEqual(id, '', issued.stdout + issued.stderr)
    assert.deepEqual(await amounts(first), [10, 20])

    await first.end()
    running?.child.kill('SIGKILL')
    if (running !== undefined) await ended(running.child)
    const second = await connect(await serve())
    assert.deepEqual(await amounts(second), [10, 20])
    assert.match((await ask(ada, 'grants', 'list')).stdout, new RegExp(`${id} .* ada .* public\\.orders\\.amount`))
    assert.equal((await ask(grace, 'grants', 'revoke', id, '--reason', 'done')).code, 0)
    assert.deepEqual(await amounts(second), [null, null])
    assert.match((await ask(grace, 'grants', 'show', id)).stdout, /\(revoked\)[^]*revoked: by grace: done/)
    await second.end()
    const entries = await json<{ kind: string; exemptions: { by: string }[] }>(ada, 'audit', '--grant', id)
    assert.deepEqual(entries.map(({ kind, exemptions }) => [kind, exemptions.map(({ by }) => by)]), [
      ['grant.issued', []], ['command', [`grant:${id}`]], ['command', [`grant:${id}`]], ['grant.revoked', []],
    ])
  })

  test('decides, blocks, holds, records; and the CLI sees it all beside the running gateway', async () => {
    const ready = await serve()
    assert.equal(ready.ruleset.rules, 3)
    const client = await connect(ready)
    assert.deepEqual((await client.query('SELECT amount FROM orders ORDER BY id')).rows, [{ amount: 10 }, { amount: 20 }])
    const blocked = await client.query('DROP TABLE orders').catch((error: unknown) => error as pg.DatabaseError)
    assert.ok(blocked instanceof pg.DatabaseError)
    assert.equal(blocked.code, '42501')
    const told = /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(`${blocked.hint ?? ''} ${blocked.detail ?? ''} ${blocked.message}`)?.[0] ?? 'no id was told'

    const held = client.query('UPDATE orders SET amount = 0 WHERE id = 1')
    const approval = await eventually(async () => (await json<{ approval: string }>(grace, 'approvals', 'list'))[0]?.approval)
    assert.match((await ask(grace, 'approvals', 'show', approval)).stdout, /UPDATE orders SET amount = 0 WHERE id = 1/)
    const own = await ask(ada, 'approvals', 'approve', approval, '--yes')
    assert.deepEqual([own.code, /second person/.test(own.stderr)], [1, true])
    assert.deepEqual(await ask(grace, 'approvals', 'approve', approval), { code: 2, stdout: '', stderr: 'nobody is here to confirm; add --yes, or --digest with what was shown\n' })
    assert.equal((await ask(grace, 'approvals', 'approve', approval, '--yes', '--comment', 'fine')).stdout, `approved ${approval}\n`)
    assert.equal((await held).rowCount, 1)
    assert.deepEqual(await postgres.query('SELECT amount FROM orders WHERE id = 1'), [{ amount: 0 }])
    await client.end()

    const entries = await eventually(async () => {
      const found = await json<{ text: string; effect: string; status: string; approver: string; session: string }>(ada, 'audit', '--kind', 'command')
      return found.every(({ status }) => status !== '') && found.length >= 3 ? found : undefined
    })
    assert.deepEqual(entries.map(({ text, effect, status, approver }) => [text.split(' ')[0], effect, status, approver]), [
      ['SELECT', 'allow', 'completed', ''], ['DROP', 'block', 'not-forwarded', ''], ['UPDATE', 'allow', 'completed', 'grace'],
    ])
    assert.match((await ask(ada, 'audit', '--event', told)).stdout, /DROP TABLE orders/)
    const replay = await ask(ada, 'replay', entries[0]?.session ?? '')
    assert.match(replay.stdout, /#1 SELECT amount FROM orders ORDER BY id\n {2}allow by rules/)
    assert.match(replay.stdout, /\| +10\n/)
    assert.match(replay.stdout, /granted by grace: fine \(approval /)
    assert.match((await ask(ada, 'rules', 'explain', '--event', told)).stdout, /^block \(by rules\): nobody drops tables/)
  })

  test('SIGTERM answers what is held, ends sessions with an event, and leaves with 0', async () => {
    const client = await connect(await serve())
    const held = client.query('UPDATE orders SET amount = 5 WHERE id = 2').catch((error: unknown) => error)
    await eventually(async () => (await json<{ approval: string }>(grace, 'approvals', 'list'))[0])
    running?.child.kill('SIGTERM')
    assert.ok((await held) instanceof Error)
    assert.ok(running !== undefined)
    assert.deepEqual(await ended(running.child), { code: 0, signal: null })
    assert.deepEqual(await postgres.query('SELECT amount FROM orders WHERE id = 2'), [{ amount: 20 }])
    const kinds = (await json<{ kind: string; status: string }>(ada, 'audit')).map(({ kind, status }) => `${kind} ${status}`.trim())
    assert.deepEqual(kinds, ['gateway.started', 'ruleset.loaded', 'session.opened', 'command not-forwarded', 'session.closed gateway-stopped', 'gateway.stopped'])
    await client.end().catch(() => {})
  })

  test('a wrong password is refused and seen in the audit; nothing secret is in log or record', async () => {
    const { listeners: [listener] } = await serve()
    const client = new pg.Client({ host: '127.0.0.1', port: listener?.port ?? 0, user: 'ada', password: 'wrong secret', database: 'shop' })
    await assert.rejects(client.connect(), { code: '28P01' })
    const [refused] = await eventually(async () => {
      const found = await json<{ person: string; status: string }>(ada, 'audit', '--kind', 'access.refused')
      return found.length > 0 ? found : undefined
    })
    assert.deepEqual([refused?.person, refused?.status], ['ada', 'bad-credentials'])
    const everything = `${(await ask(ada, 'audit', '--full')).stdout}${running?.stderr() ?? ''}`
    for (const secret of ['wrong secret', 'ada secret', postgres.password, ada.token, grace.token]) assert.ok(!everything.includes(secret))
  })

  test('a second gateway over the same record is refused with the reason', async () => {
    await serve()
    const second = await cli(folder, ['serve'], { env: env() })
    assert.equal(second.code, 4)
    assert.match(second.stderr, /STORE_LOCKED/)
  })

  test('rules that are broken are refused at a reload and stay out; the old ones decide on', async () => {
    const client = await connect(await serve())
    writeFileSync(join(folder, 'rules', 'broken.jsonata'), '/* Broken. */\n{ "effect": "perhaps" }\n')
    running?.child.kill('SIGHUP')
    await eventually(async () => (await json<{ text: string }>(ada, 'audit', '--kind', 'ruleset.refused'))[0])
    assert.equal((await client.query('SELECT 1')).rowCount, 1)
    await assert.rejects(client.query('DROP TABLE orders'), { code: '42501' })
    await client.end()
  })

  test('ends in the record what a killed gateway left open', async () => {
    const client = await connect(await serve())
    client.on('error', () => {})
    await client.query('SELECT 1')
    const before = await postgres.query('SELECT amount FROM orders WHERE id = 1')
    const held = client.query('UPDATE orders SET amount = amount + 11 WHERE id = 1').catch(() => {})
    await new Promise((resolve) => { client.once('notice', resolve) })
    running?.child.kill('SIGKILL')
    if (running !== undefined) await ended(running.child)
    await held
    await serve()
    const closed = await json<{ kind: string; status: string; text: string }>(grace, 'audit')
    assert.ok(closed.some(({ kind, status }) => kind === 'session.closed' && status === 'gateway-lost'))
    assert.ok(closed.some(({ kind, status, text }) => kind === 'command' && status === 'not-forwarded' && text.startsWith('UPDATE')))
    assert.deepEqual(await postgres.query('SELECT amount FROM orders WHERE id = 1'), before)
  })
})
