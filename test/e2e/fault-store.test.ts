import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import type { Worker } from 'node:worker_threads'
import { tmpfs } from '../core/store/embedded/small-disk.ts'
import { appendOf, FaultyStore, type Fault } from '../fault/gate-faulty-store.ts'
import { MARKS_SQL, newMark, unexplained } from '../fault/marks.ts'
import { errorsIn, rawClient, rowsIn, tagsIn, type Frame, type RawClient } from '../fault/raw-client.ts'
import { dice } from '../fault/segments.ts'
import { startGateway, REVIEWER, type TestGateway, type TestGatewayOptions } from '../support/gateway.ts'
import { startPostgres, type PostgresServer } from '../support/postgres-server.ts'

const RULES = {
  'allow-all': '{ "effect": "allow", "reason": "x" }',
  'hold-held': `$contains(command.text, 'held') ? { "effect": "await-approval", "reason": "looked at", "approvers": ["group:reviewers"], "timeout": 30 }`,
}
let server: PostgresServer

before(async () => {
  server = await startPostgres({ major: 18 })
  await server.query(MARKS_SQL)
})

beforeEach(() => server.query('truncate marks'))

after(async () => {
  await server?.stop()
})

async function faulty(): Promise<{ gateway: TestGateway; store: FaultyStore }> {
  let store: FaultyStore | undefined
  const gateway = await start({ wrapStore: (inner) => (store = new FaultyStore(inner)) })
  assert.ok(store !== undefined)
  return { gateway, store }
}

function start(options: Partial<TestGatewayOptions> = {}): Promise<TestGateway> {
  return startGateway({ postgres: server, rules: RULES, ...options })
}

async function connected({ host, port }: TestGateway): Promise<RawClient> {
  return rawClient({ host, port, user: 'ada', password: 'ada secret' })
}

async function marked(mark: string): Promise<boolean> {
  return (await server.query(`select from marks where mark = '${mark}'`)).length === 1
}

/** Sends marks until one gets through; resolves with how often it was refused before. */
async function untilItRuns(client: RawClient): Promise<number> {
  const late = AbortSignal.timeout(10_000)
  for (let refused = 0; !late.aborted; refused++) {
    const { messages, readies } = newMark(0)
    if (errorsIn(await client.ask(messages, readies)).length === 0) return refused
    await new Promise((resolve) => setImmediate(resolve))
  }
  throw new Error('it was refused for 10 s')
}

const FAULTS: readonly Fault[] = ['lost', 'written', 'garbage']

describe('a store that fails', () => {
  for (const fault of FAULTS) {
    it(`at the command and its decision (${fault}) keeps the command from the target, and works again without a restart`, async () => {
      const { gateway, store } = await faulty()
      const client = await connected(gateway)
      for (let how = 0; how < 3; how++) {
        await untilItRuns(client)
        const { mark, messages, readies } = newMark(how)
        store.failNext((events) => JSON.stringify(events.map(({ data }) => data)).includes(mark), fault)
        const frames = await client.ask(messages, readies)
        assert.ok(errorsIn(frames).some((error) => error.startsWith('58000')), errorsIn(frames).join())
        assert.equal(await marked(mark), false)
        await client.query('rollback')
      }
      await untilItRuns(client)
      assert.equal(store.unmet, 0)
      await client.end()
      assert.deepEqual(await unexplained(server, await gateway.events()), [])
      await gateway.stop()
    })

    it(`at an outcome (${fault}) is made good before the next command runs`, async () => {
      const { gateway, store } = await faulty()
      const client = await connected(gateway)
      store.failNext(appendOf('outcome.recorded.v1'), fault)
      for (let how = 0; how < 6; how++) {
        const { messages, readies } = newMark(how)
        await client.ask(messages, readies)
      }
      await untilItRuns(client)
      await client.end()
      assert.equal(store.unmet, 0)
      const events = await gateway.events()
      const commands = events.filter(({ type }) => type === 'command.received.v1').length
      assert.equal(events.filter(({ type }) => type === 'outcome.recorded.v1').length, commands)
      assert.deepEqual(await unexplained(server, events), [])
      await gateway.stop()
    })

    it(`when a session opens (${fault}) lets nobody in, and the next one does`, async () => {
      const { gateway, store } = await faulty()
      store.failNext(appendOf('session.opened.v1'), fault)
      await assert.rejects(connected(gateway), /recorded|store|disk|failed/i)
      const client = await connected(gateway)
      assert.deepEqual(rowsIn(await client.query('select 1')), [['1']])
      await client.end()
      await gateway.stop()
    })

    for (const type of ['approval.requested.v1', 'approval.granted.v1', 'approval.consumed.v1'] as const) {
      it(`at ${type} (${fault}) never runs what was held without its record`, async () => {
        const { gateway, store } = await faulty()
        const client = await connected(gateway)
        const { mark } = newMark(0)
        store.failNext(appendOf(type), fault)
        const answer = client.query(`insert into marks values ('${mark}') /* held */`)
        await granted(gateway, answer)
        const ran = await marked(mark)
        const frames = await answer
        assert.equal(ran, tagsIn(frames).length === 1)
        if (type !== 'approval.granted.v1') assert.equal(ran, false)
        await untilItRuns(client)
        await client.end()
        const events = await gateway.events()
        const consumed = events.filter((event) => event.type === 'approval.consumed.v1').length
        assert.ok(!ran || consumed === 1)
        assert.deepEqual(await unexplained(server, events), [])
        await gateway.stop()
        })
    }
  }

  it('that hangs keeps the command waiting, and the client may give up', async () => {
    const { gateway, store } = await faulty()
    const [client, other] = [await connected(gateway), await connected(gateway)]
    const { mark, messages } = newMark(0)
    const hung = store.failNext((events) => JSON.stringify(events.map(({ data }) => data)).includes(mark), 'hung')
    client.send(...messages)
    await hung.struck
    assert.equal(await marked(mark), false)
    client.socket.destroy()
    hung.release()
    await untilItRuns(other)
    assert.equal(await marked(mark), false)
    await other.end()
    assert.deepEqual(await unexplained(server, await gateway.events()), [])
    await gateway.stop()
  })

  it('now and then, under many clients, never lets a command through without its decision', async () => {
    const { gateway, store } = await faulty()
    const roll = dice(5)
    const clients = await Promise.all(Array.from({ length: 8 }, () => connected(gateway)))
    let ran = 0
    let refused = 0
    await Promise.all(clients.map(async (client) => {
      for (let how = 0; how < 40; how++) {
        if (roll(4) === 0) store.failNext(() => true, FAULTS[roll(3)] ?? 'lost')
        if (roll(20) === 0) store.down = !store.down
        const { messages, readies } = newMark(roll(3))
        const errors = errorsIn(await client.ask(messages, readies))
        if (errors.length === 0) ran++
        else refused++
        if (client.closed) return
        if (errors.length > 0) await client.query('rollback')
      }
    }))
    store.down = false
    const last = await connected(gateway).catch(() => connected(gateway))
    await untilItRuns(last)
    for (const client of [last, ...clients]) await client.end()
    assert.ok(ran > 10 && refused > 10, `${ran} ran, ${refused} were refused`)
    assert.deepEqual(await unexplained(server, await gateway.events()), [])
    await gateway.stop()
  })
})

/** Approves what is held, as often as it takes, until the statement is answered. */
async function granted(gateway: TestGateway, answer: Promise<Frame[]>): Promise<void> {
  const answered = { yet: false }
  void answer.then(() => (answered.yet = true))
  while (!answered.yet) {
    for (const { approval, digest } of gateway.approvals.pending()) {
      await gateway.approvals.answer(approval, { grant: true, reviewer: REVIEWER, digest, comment: '' }).catch(() => {})
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
}

describe('the embedded store', () => {
  it('whose writer is killed again and again refuses, recovers, and loses nothing that was acknowledged', async () => {
    const writers: Worker[] = []
    const noted = (worker: Worker): void => void writers.push(worker)
    process.on('worker', noted)
    const gateway = await start()
    const client = await connected(gateway)
    const sessions = await connected(gateway)
    let lost = 0
    for (let round = 0; round < 20; round++) {
      const { messages, readies } = newMark(round)
      const answer = client.ask(messages, readies)
      for (const worker of writers.splice(0)) void worker.terminate()
      if (errorsIn(await answer).length > 0) lost++
      await client.query('rollback')
      await untilItRuns(sessions)
      await untilItRuns(client)
    }
    process.off('worker', noted)
    await client.end()
    await sessions.end()
    assert.ok(lost > 0)
    assert.deepEqual(await unexplained(server, await gateway.events()), [])
    await gateway.stop()
  })

  const disk = tmpfs()
  it('on a full disk refuses every command, and goes on when there is room', { skip: disk.skip }, async () => {
    const small = disk.make?.()
    assert.ok(small !== undefined)
    const before = process.env['TMPDIR']
    process.env['TMPDIR'] = small.folder
    const gateway = await start().finally(() => {
      if (before === undefined) delete process.env['TMPDIR']
      else process.env['TMPDIR'] = before
    })
    const client = await connected(gateway)
    const pad = 'x'.repeat(50_000)
    const late = AbortSignal.timeout(30_000)
    let refusals = 0
    for (let how = 0; refusals < 5 && !late.aborted; how++) {
      const { mark } = newMark(0)
      const errors = errorsIn(await client.query(`insert into marks values ('${mark}') /* ${pad}${how} */`))
      if (errors.length === 0) continue
      refusals++
      assert.match(errors.join(), /^58000 the decision could not be recorded/)
      assert.equal(await marked(mark), false)
    }
    assert.equal(refusals, 5)
    small.makeRoom()
    await untilItRuns(client)
    await client.end()
    assert.deepEqual(await unexplained(server, await gateway.events()), [])
    await gateway.stop()
    small.dispose()
  })
})
