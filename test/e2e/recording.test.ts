import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { renderRecording } from '../../adapters/postgresql/transcript.ts'
import type { EventData, SallyportRecordedEvent } from '../../core/index.ts'
import { RawClient } from '../support/compare-client.ts'
import { bind, close, copyData, copyDone, copyFail, describe as describePortal, execute, extended, flush, int32, parse, query, sync, terminate } from '../support/compare-messages.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { startPostgres, type PostgresServer } from '../support/postgres-server.ts'
import { psqlUnavailable, runPsql } from '../support/psql.ts'

type Received = EventData<'command.received.v1'>['command']
type Outcome = EventData<'outcome.recorded.v1'>['outcome']
type Recording = EventData<'recording.captured.v1'>['recording']

/** A command with all that came of it. */
interface Entry { command: Received; number: number; effects: string[]; outcomes: Outcome[]; recordings: Recording[] }

const CAP = 4096
let server: PostgresServer
let gateway: TestGateway
before(async () => {
  server = await startPostgres({ major: 18 })
  await server.query("create table t (i int primary key, n text); insert into t select i, 'n' || i from generate_series(1, 9) i; create table p (id int primary key); create table c (p int references p deferrable initially deferred)")
  await server.query(`create table d (i int); create function leave() returns trigger language plpgsql as 'begin perform pg_terminate_backend(pg_backend_pid()); return null; end';
    create constraint trigger leaves after insert on d deferrable initially deferred for each row execute function leave()`)
  gateway = await startGateway({ postgres: server, limits: { recordingBytes: CAP } })
})
after(async () => {
  await gateway?.stop()
  await server?.stop()
})

/** Runs a client's session to its end, and returns what the record has of it, in order. */
async function recorded(script: (client: RawClient) => Promise<unknown>): Promise<Entry[]> {
  const client = await RawClient.open({ host: gateway.host, port: gateway.port, user: 'ada', password: 'ada secret', database: 'postgres' }, { parameters: { application_name: `recording ${Math.random()}` } })
  await script(client)
  await client.close()
  const name = client.transcript[0]?.match(/recording 0\.\d+/)?.[0]
  const events = await gateway.events()
  const opened = events.find((event) => event.type === 'session.opened.v1' && event.data.claimed['application_name'] === name)
  assert.ok(opened !== undefined)
  await gateway.until('session.closed.v1', (event) => event.correlationid === opened.correlationid)
  const all = (await gateway.events()).filter((event) => event.correlationid === opened.correlationid)
  assertWellFormed(all)
  return entriesOf(all)
}

/** What holds for every session: a decision right behind its command, one outcome for each, the session's end last. */
function assertWellFormed(events: readonly SallyportRecordedEvent[]): void {
  assert.equal(events[0]?.type, 'session.opened.v1')
  assert.equal(events.at(-1)?.type, 'session.closed.v1')
  const commands = new Map<string, number>()
  events.forEach((event, index) => {
    assert.equal(event.revision, BigInt(index))
    if (event.type === 'command.received.v1') {
      const next = events[index + 1]
      assert.ok(next?.type === 'decision.made.v1' && next.data.command === event.id && next.causationid === event.id, `no decision right behind ${event.data.command.text}`)
      commands.set(event.id, 0)
      assert.equal(event.data.number, commands.size)
    }
    if (event.type === 'outcome.recorded.v1') commands.set(event.data.command, (commands.get(event.data.command) ?? 99) + 1)
  })
  for (const { command } of entriesOf(events)) assert.equal(typeof command.text, 'string')
  for (const { command, outcomes } of entriesOf(events)) {
    // What was completed is undone when its implicit transaction cannot be committed; nothing else has a second outcome.
    const undone = outcomes.length === 2 && outcomes[0]?.status === 'completed' && outcomes[1]?.status === 'failed'
    assert.ok(outcomes.length === 1 || undone, `${outcomes.length} outcomes of ${command.phase} ${command.text}`)
  }
  const end = events.at(-1)
  assert.ok(end?.type === 'session.closed.v1' && end.data.commands === commands.size)
}

function entriesOf(events: readonly SallyportRecordedEvent[]): Entry[] {
  const entries = new Map<string, Entry>()
  for (const event of events) {
    if (event.type === 'command.received.v1') entries.set(event.id, { command: event.data.command, number: event.data.number, effects: [], outcomes: [], recordings: [] })
    else if (event.type === 'decision.made.v1') entries.get(event.data.command)?.effects.push(event.data.verdict.effect)
    else if (event.type === 'outcome.recorded.v1') entries.get(event.data.command)?.outcomes.push(event.data.outcome)
    else if (event.type === 'recording.captured.v1') entries.get(event.data.command)?.recordings.push(event.data.recording)
  }
  return [...entries.values()]
}

const brief = (entries: readonly Entry[]): unknown[] =>
  entries.map(({ command: { phase, text, values }, outcomes: [outcome] }) => [phase, text, values, outcome?.status, outcome?.tag, outcome?.rows])

describe('the record of a session', () => {
  it('has the text of a simple query word for word, its tag, rows, bytes and time', async () => {
    const text = "select i, n /* why */ from t where i < 4;\n-- and 'ü'\n"
    const [entry, ...more] = await recorded((client) => client.ask(query(text)))
    assert.ok(entry !== undefined && more.length === 0)
    const [outcome] = entry.outcomes
    assert.deepEqual([entry.command.text, entry.command.fidelity, entry.command.action, entry.effects], [text, 'parsed', 'read', ['allow']])
    assert.deepEqual([outcome?.status, outcome?.tag, outcome?.rows, outcome?.error], ['completed', 'SELECT 3', 3, undefined])
    assert.ok(outcome !== undefined && outcome.durationMs > 0 && outcome.durationMs < 10_000)
    const bytes = Buffer.concat(entry.recordings[0]?.chunks.map(({ data }) => Buffer.from(data, 'base64')) ?? [])
    assert.equal(outcome.bytes, bytes.length)
    assert.equal(entry.recordings[0]?.bytes, bytes.length)
    assert.equal(entry.recordings[0]?.cappedAt, undefined)
    assert.equal(bytes.toString('latin1').match(/n[123]/g)?.join(), 'n1,n2,n3')
  })

  it('has a message of several statements as one command, with every tag, and rows of all', async () => {
    const entries = await recorded((client) => client.ask(query('select 1; select i from t where i < 3; update t set n = n where i = 1; set datestyle = iso')))
    assert.deepEqual(brief(entries), [['execute', 'select 1; select i from t where i < 3; update t set n = n where i = 1; set datestyle = iso', [], 'completed', 'SELECT 1; SELECT 2; UPDATE 1; SET', 4]])
  })

  it('has the values of every Execute, text and binary and NULL, as a command of its own', async () => {
    const text = 'select $1::int as i, $2::text as t'
    const entries = await recorded(async (client) => {
      await client.ask(parse(text, 's'), bind({ statement: 's', values: ['1', 'one'] }), execute(), sync())
      await client.ask(bind({ statement: 's', values: [int32(258), null], formats: [1, 0] }), execute(), sync())
      await client.ask(bind({ statement: 's', values: ['3', 'ü'] }), execute(), bind({ statement: 's', values: ['4', ''] }), execute(), sync())
    })
    assert.deepEqual(brief(entries), [['1', 'one'], ['\\x00000102', null], ['3', 'ü'], ['4', '']].map((values) => ['execute', text, values, 'completed', 'SELECT 1', 1]))
    for (const { recordings } of entries) assert.equal(recordings.length, 1)
  })

  it('has a Parse without an Execute as a preparation, and a Bind too', async () => {
    const entries = await recorded(async (client) => {
      await client.ask(parse('select $1::int', 's'), describePortal('S', 's'), sync())
      await client.ask(bind({ statement: 's', values: ['7'] }), sync())
      client.send(parse('select 2', 'f'), flush())
      await client.type('1')
      await client.ask(bind({ statement: 'f' }), execute(), sync())
    })
    assert.deepEqual(entries.map(({ command: { phase, text, values } }) => [phase, text, values]), [['prepare', 'select $1::int', []], ['prepare', 'select $1::int', ['7']], ['prepare', 'select 2', []], ['execute', 'select 2', []]])
    for (const { outcomes: [outcome] } of entries) assert.equal(outcome?.status, 'completed')
  })

  it('has a portal that is gone on with as one command, with the rows of all parts', async () => {
    const entries = await recorded(async (client) => {
      await client.ask(query('begin'))
      await client.ask(parse('select i from t order by i'), bind({ portal: 'p' }), execute('p', 4), sync())
      await client.ask(execute('p', 4), sync())
      await client.ask(execute('p', 4), sync())
      await client.ask(query('commit'))
    })
    assert.deepEqual(entries.map(({ command, outcomes: [outcome] }) => [command.text, outcome?.status, outcome?.rows]), [['begin', 'completed', 0], ['select i from t order by i', 'completed', 9], ['commit', 'completed', 0]])
  })

  it('has an outcome for a portal that was never run to its end', async () => {
    const portal = [parse('select i from t order by i'), bind({ portal: 'p' }), execute('p', 2)]
    const ends: Record<string, (client: RawClient) => Promise<unknown>> = {
      'the end of the transaction': (client) => client.ask(...portal, sync()),
      Close: (client) => client.ask(query('begin')).then(() => client.ask(...portal, sync())).then(() => client.ask(close('P', 'p'), sync())),
      'another Bind': (client) => client.ask(parse('select i from t', 's'), bind({ statement: 's' }), execute('', 1), bind({ statement: 's' }), execute('', 1), sync()),
      'the end of the session': (client) => client.ask(query('begin')).then(() => client.ask(...portal, sync())),
      'an error': (client) => client.ask(query('begin')).then(() => client.ask(...portal, parse('select 1/0', 'e'), bind({ statement: 'e' }), execute(), sync())),
      ROLLBACK: (client) => client.ask(query('begin')).then(() => client.ask(...portal, sync())).then(() => client.ask(query('rollback'))),
    }
    for (const [name, script] of Object.entries(ends)) {
      const entry = (await recorded(script)).find(({ command }) => command.text.startsWith('select i from t'))
      assert.equal(entry?.outcomes[0]?.status, 'completed', name)
      assert.ok((entry?.outcomes[0]?.rows ?? 0) > 0, name)
    }
  })

  it('has a portal gone on with in flight as one command too', async () => {
    const entries = await recorded((client) => client.ask(parse('select i from t order by i'), bind({ portal: 'p' }), execute('p', 4), execute('p', 4), execute('p', 4), sync()))
    assert.deepEqual(brief(entries), [['execute', 'select i from t order by i', [], 'completed', 'SELECT 1', 9]])
  })

  it('has every Execute of a cursor that SQL declared', async () => {
    const entries = await recorded(async (client) => {
      await client.ask(query('begin; declare c cursor for select i from t order by i'))
      await client.ask(execute('c', 4), execute('c', 4), sync())
      await client.ask(execute('c', 4), sync())
      await client.ask(execute('c', 4), sync())
    })
    assert.deepEqual(entries.slice(1).map(({ outcomes: [outcome] }) => [outcome?.status, outcome?.rows]), [['completed', 4], ['completed', 4], ['completed', 1], ['completed', 0]])
  })

  it('has an outcome for values too large to be kept that were bound and not run, or could not be bound', async () => {
    const large = 'z'.repeat(2_000_000)
    const entries = await recorded(async (client) => {
      await client.ask(parse('select $1::text', 's'), bind({ statement: 's', values: [large] }), sync())
      await client.ask(parse('select $1::int', 'i'), bind({ statement: 'i', values: [large] }), sync())
      await client.ask(bind({ statement: 'i', values: [large] }), execute(), sync())
    })
    assert.deepEqual(entries.filter(({ command }) => command.phase === 'execute').map(({ command, outcomes: [outcome] }) => [command.text, outcome?.status, outcome?.error?.code]), [
      ['select $1::text', 'cancelled', undefined], ['select $1::int', 'failed', '22P02'], ['select $1::int', 'failed', '22P02'],
    ])
  })

  it('has errors with code and message, and what was skipped behind them as cancelled', async () => {
    const entries = await recorded(async (client) => {
      await client.ask(query('select 1/0'))
      await client.ask(query('selec'))
      await client.ask(parse('select 1/$1::int'), bind({ values: ['0'] }), execute(), parse('select 2'), bind(), execute(), sync())
      await client.ask(extended('select 3'))
    })
    assert.deepEqual(entries.map(({ command, outcomes: [outcome] }) => [command.text, outcome?.status, outcome?.error]), [
      ['select 1/0', 'failed', { code: '22012', message: 'division by zero' }],
      ['selec', 'failed', { code: '42601', message: 'syntax error at or near "selec"' }],
      ['select 1/$1::int', 'failed', { code: '22012', message: 'division by zero' }],
      ['select 2', 'cancelled', undefined],
      ['select 3', 'completed', undefined],
    ])
  })

  it('has a commit that fails as failed', async () => {
    const entries = await recorded(async (client) => {
      await client.ask(query('begin'))
      await client.ask(query('insert into c values (99)'))
      await client.ask(query('commit'))
      await client.ask(query('insert into c values (98)'))
    })
    assert.deepEqual(entries.map(({ outcomes: [outcome] }) => [outcome?.status, outcome?.error?.code]), [['completed', undefined], ['completed', undefined], ['failed', '23503'], ['failed', '23503']])
  })

  it('has what a Sync could not commit as failed in the end, and what comes after as it is', async () => {
    const entries = await recorded(async (client) => {
      await client.ask(parse('insert into c values (97)'), bind(), execute(), parse('select 1'), bind(), execute(), sync())
      await client.ask(parse('select 2'), bind(), execute(), sync())
    })
    assert.deepEqual(entries.map(({ outcomes }) => outcomes.map(({ status, error }) => [status, error?.code])), [
      [['completed', undefined], ['failed', '23503']], [['completed', undefined], ['failed', '23503']], [['completed', undefined]],
    ])
  })

  it('does not say that a commit failed when the target went away during it, for nobody knows', async () => {
    const entries = await recorded(async (client) => {
      await assert.rejects(async () => client.ask(parse('insert into d values (1)'), bind(), execute(), sync()), /INSERT 0 1.*FATAL.*57P01/s)
    })
    assert.deepEqual(entries.map(({ outcomes }) => outcomes.map(({ status, error }) => [status, error?.code])), [[['completed', undefined]]])
  })

  it('has the beginning of a large answer as it was, though the memory it came in was used again', async () => {
    await using large = await startGateway({ postgres: server, limits: { recordingBytes: 400_000 } })
    const client = await RawClient.open({ host: large.host, port: large.port, user: 'ada', password: 'ada secret', database: 'postgres' })
    await client.ask(query("select lpad(i::text, 90, '0') from generate_series(1, 40000) i"))
    await client.close()
    await large.until('session.closed.v1', () => true)
    const recorded = (await large.events()).flatMap((event) => (event.type === 'recording.captured.v1' ? event.data.recording.chunks : []))
    const values = Buffer.concat(recorded.map(({ data }) => Buffer.from(data, 'base64'))).toString('latin1').match(/\d{90}/g) ?? []
    assert.ok(values.length > 3_500, `${values.length} rows are recorded`)
    assert.ok(values.every((value, index) => Number(value) === index + 1))
  })

  it('has a COPY in and out, with the rows it copied', async () => {
    const entries = await recorded(async (client) => {
      client.send(query('copy t from stdin'))
      await client.type('G')
      await client.ask(copyData('101\tcopied\n102\tcopied\n'), copyDone())
      await client.ask(query('copy (select i from t where i > 100) to stdout'))
      client.send(query('copy t from stdin'))
      await client.type('G')
      await client.ask(copyFail('no'))
      await client.ask(query('delete from t where i > 100'))
    })
    assert.deepEqual(brief(entries).map((entry) => (entry as unknown[]).slice(3)), [['completed', 'COPY 2', 2], ['completed', 'COPY 2', 2], ['cancelled', undefined, 0], ['completed', 'DELETE 2', 2]])
    assert.equal(entries[2]?.outcomes[0]?.error?.message, 'COPY from stdin failed: no')
    assert.match(renderRecording(entries[1]?.recordings[0] as Recording), /101\n102\nCOPY 2/)
  })

  it('stops recording at the cap, says so, and counts on', async () => {
    const entries = await recorded(async (client) => {
      await client.ask(query("select repeat('x', 100) from generate_series(1, 1000)"))
      await client.ask(query("select repeat('y', 1000000)"))
    })
    for (const { outcomes: [outcome], recordings: [recording] } of entries) {
      const kept = recording?.chunks.reduce((sum, { data }) => sum + Buffer.from(data, 'base64').length, 0)
      assert.deepEqual([kept, recording?.cappedAt], [CAP, CAP])
      assert.equal(recording?.bytes, outcome?.bytes)
      assert.ok((outcome?.bytes ?? 0) > 100_000)
    }
    assert.deepEqual(entries.map(({ outcomes: [outcome] }) => outcome?.rows), [1000, 1])
  })

  it('says when values were too many to be kept', async () => {
    const [entry] = await recorded((client) => client.ask(extended('select length($1), $2', { values: ['z'.repeat(2_000_000), 'b'] })))
    assert.deepEqual([entry?.command.valuesComplete, entry?.outcomes[0]?.status], [false, 'completed'])
  })

  it('has the end of a session, and how it came to it', async () => {
    const entries = await recorded(async (client) => {
      client.send(query('select pg_sleep(0.05), 1'), terminate())
      await client.ended()
    })
    assert.deepEqual(entries.map(({ outcomes: [outcome] }) => [outcome?.status, outcome?.rows]), [['completed', 1]])
    const closed = (await gateway.events()).findLast((event) => event.type === 'session.closed.v1')
    assert.ok(closed?.type === 'session.closed.v1')
    assert.equal(closed.data.reason, 'client-terminated')
    assert.ok(closed.data.bytesFromClient > 30 && closed.data.bytesToClient > 30)
  })

  it('renders what psql showed', { skip: psqlUnavailable() ?? false }, async () => {
    const statements = ['select i, n, null as nothing from t where i < 4 order by i;', "select 1/0;", "update t set n = 'x' where i = 1;", 'create temp table x (a int);', 'select * from x;', "do $$ begin raise notice 'told'; end $$;", 'copy (select i, n from t where i < 3) to stdout;', "select 'two\nlines' as \"a \"\"b\"\"\", 1.50::numeric as n, true as b;"]
    for (const text of statements) {
      const shown = await runPsql({ host: gateway.host, port: gateway.port, user: 'ada', password: 'ada secret', database: 'postgres', input: `create temp table if not exists x (a int);\n${text}\n`, args: ['-q'] })
      const entry = entriesOf(await gateway.events()).findLast(({ command }) => command.text === text)
      assert.ok(entry?.recordings[0] !== undefined, text)
      const rendered = renderRecording(entry.recordings[0], { text })
      const expected = shown.stdout + shown.stderr
      const withoutTag = rendered.replace(/^(CREATE TABLE|UPDATE 1|DO|COPY 2)\n/m, '')
      assert.equal(withoutTag.trim(), expected.replace(/^.*relation "x" already exists, skipping\n/m, '').trim(), text)
    }
  })
})
