import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import pg from 'pg'
import { B, D, E, errorsIn, message, P, Q, rawClient, rowsIn, S, shapeOf, tagsIn, H, type Frame, type RawClient } from '../fault/raw-client.ts'
import { startGateway, type TestGateway, type TestGatewayOptions } from '../support/gateway.ts'
import { startPostgres, type PostgresServer } from '../support/postgres-server.ts'
import { slowForCancels } from '../support/slow-for-cancels.ts'
import type { Outcome } from '../../core/index.ts'

const LIMITS = {
  rows: { rows: 10 },
  bytes: { bytes: 1000 },
  seconds: { seconds: 0.6 },
  often: { statementsPerMinute: 3 },
  all: { rows: 1_000_000, bytes: 1_000_000_000, seconds: 60, statementsPerMinute: 60_000 },
} as const
type Who = keyof typeof LIMITS
const PEOPLE: NonNullable<TestGatewayOptions['people']> = Object.fromEntries(Object.keys(LIMITS).map((name) => [name, { password: `${name} secret` }]))
const RULES = {
  'allow-all': '{ "effect": "allow", "reason": "a test allows everything" }',
  ...Object.fromEntries(Object.entries(LIMITS).map(([name, limits]) => [`limit-${name}`, `identity.subject = "${name}" ? { "effect": "allow", "reason": "limited", "limits": ${JSON.stringify(limits)} }`])),
  mask: `"public.secrets" in command.sql.reads ? { "effect": "mask", "reason": "hidden", "columns": { "public.secrets.word": "fixed" } }`,
}
const ROWS = '54000 limit reached: more than 10 rows'
const BYTES = '54000 limit reached: more than 1000 bytes'
const SECONDS = '54000 limit reached: more than 0.6 seconds'
const numbers = (count: number): string => `select g from generate_series(1, ${count}) g`

let server: PostgresServer
let gateway: TestGateway

before(async () => {
  server = await startPostgres({ major: 18 })
  await server.query("create table notes (n int); create table secrets (id int, word text); insert into secrets select g, 'word ' || g from generate_series(1, 50) g")
  gateway = await startGateway({ postgres: server, rules: RULES, people: PEOPLE })
})
after(async () => {
  await gateway?.stop()
  await server?.stop()
})

async function as(user: Who, at: TestGateway = gateway): Promise<RawClient> {
  return rawClient({ host: at.host, port: at.port, user, password: `${user} secret` })
}

const statusIn = (frames: readonly Frame[]): string => frames.filter(({ type }) => type === 'Z').map(({ body }) => body.toString()).join('')
const run = (text: string, limit = 0): Buffer[] => [P('', text), B('', ''), D('P', ''), E('', limit), S]
const fieldIn = (frames: readonly Frame[], letter: string): string => frames.find(({ type }) => type === 'E')?.body.toString().split('\0').find((field) => field.startsWith(letter))?.slice(1) ?? ''
const notes = async (): Promise<number> => Number((await server.query('select count(*)::int as n from notes'))[0]?.['n'])

/** How the commands with this text ended, oldest first. */
async function outcomesOf(text: string): Promise<Outcome[]> {
  await gateway.until('outcome.recorded.v1', () => true)
  const events = await gateway.events()
  const commands = new Set(events.flatMap((event) => (event.type === 'command.received.v1' && event.data.command.text === text ? [event.id] : [])))
  return events.flatMap((event) => (event.type === 'outcome.recorded.v1' && commands.has(event.data.command) ? [event.data.outcome] : []))
}

async function goesOn(client: RawClient): Promise<void> {
  assert.deepEqual(rowsIn(await client.query('select 7')), [['7']])
  assert.deepEqual(rowsIn(await client.ask(run('select 8'))), [['8']])
}

beforeEach(async () => {
  await server.query('delete from notes')
})

describe('a limit of rows', () => {
  it('lets exactly so many through, and ends the statement at the next, in simple and extended use', async () => {
    const client = await as('rows')
    for (const form of [(text: string) => [Q(text)], run]) {
      assert.deepEqual(errorsIn(await client.ask(form(numbers(10)))), [])
      for (const count of [11, 5000, 3_000_000]) {
        const answer = await client.ask(form(numbers(count)))
        assert.deepEqual([rowsIn(answer).length, errorsIn(answer), tagsIn(answer), statusIn(answer)], [10, [ROWS], [], 'I'], String(count))
        assert.match(fieldIn(answer, 'H'), /recorded as event [0-9a-f-]{36}/)
      }
      await goesOn(client)
    }
    await client.end()
  })

  it('really ends it at the target', async () => {
    const client = await as('rows')
    const answer = await client.query("select generate_series(1, 1000000000000), 'endless'")
    assert.deepEqual(errorsIn(answer), [ROWS])
    assert.deepEqual(await server.query("select 1 from pg_stat_activity where state = 'active' and query like '%endless%' and pid <> pg_backend_pid()"), [])
    await client.end()
  })

  it('counts masked rows too', async () => {
    const client = await as('rows')
    for (const messages of [[Q('select id, word from secrets')], run('select id, word from secrets'), [P('', 'select word from secrets'), B('', ''), E(), S]]) {
      const answer = await client.ask(messages)
      assert.deepEqual([rowsIn(answer).length, errorsIn(answer)], [10, [ROWS]])
      assert.ok(!client.received().includes('word 1'))
    }
    await client.end()
  })

  it('counts the rows of a portal over all its Executes', async () => {
    const client = await as('rows')
    const open = await client.ask([P('', numbers(30)), B('p', ''), E('p', 4), E('p', 4), E('p', 4), E('p', 4), S])
    assert.deepEqual([rowsIn(open).length, errorsIn(open), statusIn(open)], [10, [ROWS], 'I'])
    assert.equal(shapeOf(open).replaceAll('D', ''), '12ssEZ')
    const exactly = await client.ask([P('', numbers(30)), B('p', ''), E('p', 4), E('p', 6), S])
    assert.deepEqual([rowsIn(exactly).length, errorsIn(exactly)], [10, []])
    await goesOn(client)
    await client.end()
  })

  it('counts all statements of one simple query together', async () => {
    const client = await as('rows')
    const answer = await client.query(`${numbers(6)}; ${numbers(6)}; ${numbers(6)}`)
    assert.deepEqual([rowsIn(answer).length, errorsIn(answer)], [10, [ROWS]])
    await client.end()
  })

  it('counts the rows of COPY TO in text, CSV and binary, where the end of a binary copy is no row', async () => {
    const client = await as('rows')
    for (const format of ['text', 'csv', 'binary']) {
      const ten = await client.query(`copy (${numbers(10)}) to stdout (format ${format})`)
      assert.deepEqual([errorsIn(ten), tagsIn(ten)], [[], ['COPY 10']], format)
      for (const more of [[Q(`copy (${numbers(200_000)}) to stdout (format ${format})`)], run(`copy (${numbers(200_000)}) to stdout (format ${format})`)]) {
        const answer = await client.ask(more)
        assert.deepEqual([answer.filter(({ type }) => type === 'd').length, errorsIn(answer), statusIn(answer)], [10, [ROWS], 'I'], format)
      }
    }
    await goesOn(client)
    await client.end()
  })
})

describe('a limit of bytes', () => {
  it('passes no row that goes beyond it', async () => {
    const client = await as('bytes')
    for (const form of [(text: string) => [Q(text)], run]) {
      const answer = await client.ask(form(`select repeat('x', 90) from generate_series(1, 100000)`))
      assert.deepEqual(errorsIn(answer), [BYTES])
      const bytes = answer.filter(({ type }) => type === 'T' || type === 'D').reduce((sum, { body }) => sum + 5 + body.length, 0)
      assert.ok(bytes <= 1000 && bytes > 800, String(bytes))
    }
    await client.end()
  })

  it('holds for rows too large to be held, for COPY and for notices', async () => {
    const client = await as('bytes')
    for (const text of ["select repeat('x', 3000000)", "copy (select repeat('x', 3000000)) to stdout", "copy (select repeat('x', 100) from generate_series(1, 1000)) to stdout", "do $$ begin for i in 1..1000 loop raise notice 'a notice that says %', i; end loop; end $$"]) {
      const answer = await client.query(text)
      assert.deepEqual([errorsIn(answer), statusIn(answer)], [[BYTES], 'I'], text)
      assert.ok(answer.reduce((sum, { body }) => sum + body.length, 0) < 2000, text)
    }
    await goesOn(client)
    await client.end()
  })
})

describe('a limit of seconds', () => {
  it('ends a statement that takes longer, in simple and extended use, and in a COPY', async () => {
    const client = await as('seconds')
    for (const messages of [[Q('select pg_sleep(600)')], run('select pg_sleep(600)'), [Q('copy (select pg_sleep(600)) to stdout')]]) {
      const started = performance.now()
      const answer = await client.ask(messages)
      assert.deepEqual([errorsIn(answer), statusIn(answer)], [[SECONDS], 'I'])
      assert.ok(performance.now() - started >= 595)
    }
    await goesOn(client)
    await client.end()
  })

  it('ends a COPY whose rows do not come', async () => {
    const client = await as('seconds')
    for (const messages of [[Q('copy notes from stdin')], [P('', 'copy notes from stdin'), B('', ''), E(), S]]) {
      client.send(...messages)
      await client.when(() => client.has('G'))
      client.send(message('d', Buffer.from('1\n')))
      await client.when(() => client.has('E'))
      client.send(message('d', Buffer.from('2\n')), message('c'), S)
      await client.when(() => client.has('Z', messages.length > 1 ? 1 : 2))
      assert.deepEqual(errorsIn(client.take()), [SECONDS])
      await goesOn(client)
    }
    assert.equal(await notes(), 0)
    await client.end()
  })

  it('lets a COPY whose rows come in time through, also when a Sync is sent before them', async () => {
    const client = await as('seconds')
    const rows = [message('d', Buffer.from('1\n')), message('c')]
    assert.deepEqual(tagsIn(await client.ask([Q('copy notes from stdin'), ...rows])), ['COPY 1'])
    assert.deepEqual(tagsIn(await client.ask([P('', 'copy notes from stdin'), B('', ''), E(), ...rows, S])), ['COPY 1'])
    client.send(P('', 'copy notes from stdin'), B('', ''), E(), S)
    await client.when(() => client.has('G'))
    assert.deepEqual(tagsIn(await client.ask([...rows, S])), ['COPY 1'])
    assert.equal(await notes(), 3)
    await client.end()
  })

  it('does not run while a portal is suspended, and adds up over its Executes', async () => {
    const client = await as('seconds')
    const slow = 'select pg_sleep(0.2) from generate_series(1, 10)'
    assert.deepEqual(errorsIn(await client.ask([Q('begin')])), [])
    client.send(P('', slow), B('p', ''), E('p', 1), H)
    await client.when(() => client.has('s'))
    await server.query('select pg_sleep(0.7)')
    client.send(E('p', 1), H)
    await client.when(() => client.has('s', 2))
    assert.ok(!client.has('E'))
    const answer = await client.ask([E('p'), S])
    assert.deepEqual([errorsIn(answer), statusIn(answer)], [[SECONDS], 'E'])
    await client.end()
  })

  it('counts from when the target comes to it, not from when it was sent', async () => {
    const client = await as('seconds')
    const answer = await client.ask([Q('select pg_sleep(0.25)'), Q('select pg_sleep(0.25)'), Q('select pg_sleep(0.25)')], 3)
    assert.deepEqual([errorsIn(answer), tagsIn(answer)], [[], ['SELECT 1', 'SELECT 1', 'SELECT 1']])
    await client.end()
  })
})

describe('a statement that went beyond its limit', () => {
  it('aborts its transaction, whether or not the target had completed it', async () => {
    const client = await as('rows')
    for (const text of [numbers(11), numbers(3_000_000), 'insert into notes select generate_series(1, 11) returning n']) {
      for (const form of [(it: string) => [Q(it)], run]) {
        await client.query('begin')
        await client.query('insert into notes values (0)')
        const answer = await client.ask(form(text))
        assert.deepEqual([errorsIn(answer), statusIn(answer)], [[ROWS], 'E'])
        assert.match(errorsIn(await client.query('select 1'))[0] ?? '', /^25P02/)
        assert.deepEqual(tagsIn(await client.query('commit')), ['ROLLBACK'])
      }
    }
    assert.equal(await notes(), 0)
    await client.end()
  })

  it('is undone with all of its segment in extended use, and what the client sent behind it is skipped', async () => {
    const client = await as('rows')
    const insert = (n: number): Buffer[] => [P('', `insert into notes values (${n})`), B('', ''), E()]
    const answer = await client.ask([...insert(1), P('', 'insert into notes select generate_series(1, 11) returning n'), B('', ''), E(), ...insert(2), S, ...insert(3), S], 2)
    assert.deepEqual([rowsIn(answer).length, errorsIn(answer), statusIn(answer), tagsIn(answer)], [10, [ROWS], 'II', ['INSERT 0 1', 'INSERT 0 1']])
    assert.deepEqual(await server.query('select n from notes'), [{ n: 3 }])
    await client.end()
  })

  it('says so when the target had committed it, and what it wrote is there', async () => {
    const client = await as('rows')
    const text = 'insert into notes select generate_series(1, 11) returning n'
    const answer = await client.query(text)
    assert.deepEqual([rowsIn(answer).length, errorsIn(answer), statusIn(answer)], [10, [ROWS], 'I'])
    const kept = await notes()
    assert.ok(kept === 0 || kept === 11)
    assert.equal(fieldIn(answer, 'D'), kept === 0 ? '' : 'The target had completed it before it could be ended, and what it did is kept (INSERT 0 11).')
    await client.end()
    const outcome = (await outcomesOf(text)).at(-1)
    assert.deepEqual([outcome?.status, outcome?.rows, outcome?.limit], [kept === 0 ? 'cancelled' : 'completed', kept === 0 ? 10 : 11, { name: 'rows', value: 10 }])
  })

  it('hits none of those that the client sent behind it, round after round', async () => {
    const client = await as('rows')
    for (let round = 0; round < 60; round++) {
      const text = numbers([11, 40, 3000, 300_000][round % 4] ?? 11)
      const answer = await client.ask([Q(text), Q('select pg_sleep(0.002)'), ...run(text), ...run('select pg_sleep(0.002)')], 4)
      assert.deepEqual([errorsIn(answer), statusIn(answer), tagsIn(answer)], [[ROWS, ROWS], 'IIII', ['SELECT 1', 'SELECT 1']], `round ${round}`)
    }
    await client.end()
  })

  it('keeps the next one waiting while its cancel is on its way', async () => {
    const slow = await slowForCancels(server.port)
    const { host, user, password } = server
    const late = await startGateway({ postgres: { host, user, password, port: slow.port }, rules: RULES, people: PEOPLE })
    const client = await as('rows', late)
    const answer = await client.query(numbers(11))
    assert.deepEqual([errorsIn(answer), statusIn(answer)], [[ROWS], 'I'])
    await slow.held
    const next = client.query("select pg_sleep(0.3), 'not hit'")
    const running = "select 1 from pg_stat_activity where state = 'active' and pid <> pg_backend_pid() and query like '%not hit%'"
    await late.until('command.received.v1', ({ data }) => data.command.text.includes('not hit'))
    for (let look = 0; look < 20; look++) assert.deepEqual(await server.query(running), [])
    slow.release()
    assert.deepEqual(tagsIn(await next), ['SELECT 1'])
    await client.end()
    await late.stop()
    await slow.close()
  })

  it('has an outcome that names the limit, and stays what it is in node-postgres', async () => {
    const client = new pg.Client({ host: gateway.host, port: gateway.port, user: 'rows', password: 'rows secret', database: 'postgres' })
    await client.connect()
    const text = 'select generate_series(1, 1000000000000) as named'
    await assert.rejects(client.query(text), { code: '54000' })
    await assert.rejects(client.query({ text, values: [], name: 'n' }), { code: '54000' })
    assert.deepEqual((await client.query('select 5 as five')).rows, [{ five: 5 }])
    await client.end()
    const outcomes = await outcomesOf(text)
    assert.deepEqual(outcomes.map(({ status, rows, limit, error }) => [status, rows, limit, error?.code]), Array(2).fill(['cancelled', 10, { name: 'rows', value: 10 }, '54000']))
  })

  it('is ended at its limit when its client has said its last word, and at once when it is gone', async () => {
    for (const [text, leave, expected] of [
      ["select pg_sleep(600), 'last word'", (client: RawClient) => client.socket.end(), ['cancelled', 'seconds']],
      ["select pg_sleep(600), 'gone'", (client: RawClient) => client.socket.resetAndDestroy(), ['unknown', undefined]],
    ] as const) {
      const client = await as('seconds')
      client.send(Q(text))
      const { id } = await gateway.until('command.received.v1', ({ data }) => data.command.text === text)
      leave(client)
      const { data: { outcome } } = await gateway.until('outcome.recorded.v1', ({ data }) => data.command === id)
      assert.deepEqual([outcome.status, outcome.limit?.name], expected)
      const left = `select 1 from pg_stat_activity where state = 'active' and pid <> pg_backend_pid() and position($$${text}$$ in query) > 0`
      while ((await server.query(left)).length > 0);
    }
  })
})

describe('a limit of statements per minute', () => {
  it('blocks the next one, over all sessions of an identity, says when to try again, and lets others be', async () => {
    const [one, two, other] = [await as('often'), await as('often'), await as('rows')]
    assert.deepEqual(errorsIn(await one.query('select 1')), [])
    assert.deepEqual(errorsIn(await two.ask(run('select 2'))), [])
    assert.deepEqual(errorsIn(await one.ask([P('', 'select 3'), D('S', ''), S])), [])
    assert.deepEqual(errorsIn(await one.query('select 3')), [])
    for (const client of [one, two]) for (const messages of [[Q('insert into notes values (9)')], run('insert into notes values (9)')]) {
      const answer = await client.ask(messages)
      assert.match(errorsIn(answer)[0] ?? '', /^42501 blocked by policy: limit reached: more than 3 statements per minute; try again in (5\d|60) s$/)
      assert.equal(statusIn(answer), 'I')
    }
    assert.deepEqual(errorsIn(await other.query('select 1')), [])
    assert.equal(await notes(), 0)
    for (const client of [one, two, other]) await client.end()
    const blocked = (await gateway.events()).filter((event) => event.type === 'decision.made.v1' && event.data.verdict.by === 'enforcement' && event.data.verdict.reason.includes('per minute'))
    assert.equal(blocked.length, 4)
  })
})

describe('limits that nothing reaches', () => {
  it('change nothing of what a client sees', async () => {
    const [limited, free] = [await as('all'), await as('rows')]
    const asked: Buffer[][] = [[Q('select 1; select 2')], run('select 1'), [P('', 'select 1'), B('', ''), E(), P('', 'select 2'), B('', ''), E(), S], [Q('select')], [Q('')], [Q('select 1/0')], [P('', 'select 1/0'), B('', ''), E(), ...run('select 3')]]
    for (const messages of asked) {
      const readies = shapeOf(messages.map((bytes) => ({ type: String.fromCharCode(bytes[0] ?? 0), body: bytes }))).replace(/[^SQ]/g, '').length
      assert.deepEqual(await limited.ask(messages, readies), await free.ask(messages, readies))
    }
    const bulk = await limited.query(numbers(300_000))
    assert.deepEqual([rowsIn(bulk).length, tagsIn(bulk)], [300_000, ['SELECT 300000']])
    await limited.end()
    await free.end()
  })
})
