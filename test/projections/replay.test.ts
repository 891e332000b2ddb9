import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createMemoryStore } from '../../core/store/drivers/memory/index.ts'
import { findSessions, playReplay, Projections, querySessions, readReplay, renderReplayHeader, renderSessions, renderStep, standardProjections, type RecordingRenderers, type ReplayStep } from '../../projections/index.ts'
import { command, History, identity, sessionId, target, verdict } from './event-stream.ts'

const SESSION = sessionId(0xa1)
const OTHER = sessionId(0xb2)

const renderers: RecordingRenderers = {
  'test/text': ({ chunks, cappedAt }) => `${chunks.map(({ data }) => Buffer.from(data, 'base64').toString()).join('')}${cappedAt === undefined ? '' : `\n(capped at ${cappedAt})`}`,
}

function history(): History {
  const made = new History()
  made.open(SESSION, identity('ada', 'helper-bot'), target('shop', 'analytics'))
  made.open(OTHER)
  const first = made.at(12_338).command(SESSION, 1, command('SELECT *\nFROM cards', []), verdict('mask'))
  const other = made.command(OTHER, 1, command('SELECT 1'), verdict('allow'))
  made.settle(SESSION, first, { rows: 2, tag: 'SELECT 2', masked: { columns: ['public.cards.number'], values: 2 } })
  made.record(SESSION, first, ' number\n ****4242\n\u001b[2J(2 rows)\n')
  made.settle(OTHER, other)
  const held = made.at(20_000).command(SESSION, 2, command('UPDATE cards SET x = $1', ['\u0007', null]), verdict('await-approval', ['hold']))
  made.approve(SESSION, held, 'k3x9', true)
  made.settle(SESSION, held, { status: 'failed', error: { code: '23505', message: 'duplicate key' } })
  made.record(SESSION, held, 'ERROR', { cappedAt: 5 })
  made.command(SESSION, 3, { ...command('COPY x'), textBytes: 100_000 }, verdict('allow'))
  made.close(SESSION, 3)
  return made
}

async function opened(): Promise<{ projections: Projections; steps: () => AsyncGenerator<ReplayStep> }> {
  const store = createMemoryStore()
  for (const { stream, events } of history().appends) await store.append(stream, events, 'any')
  const projections = new Projections({ path: ':memory:', projections: standardProjections })
  await projections.catchUp(store)
  return { projections, steps: () => readReplay(projections.database, store, SESSION) }
}

async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

describe('replay', () => {
  test('gives a session its own commands, in order, with offset, decisions, answer, outcome and recording', async () => {
    const { projections, steps } = await opened()
    const all = await collected(steps())
    assert.deepEqual(all.map(({ number, at }) => [number, at]), [[1, 12_338], [2, 20_000], [3, 20_049]])
    assert.deepEqual(all[1]?.decisions.map(({ effect, by }) => [effect, by]), [['await-approval', 'rules'], ['allow', 'approval']])
    assert.equal(all[1]?.answer?.approver, 'grace')
    assert.equal(all[0]?.recording?.bytes, 31)
    assert.equal(all[2]?.outcome, undefined)
    projections.close()
  })

  test('prints each command as it went, and nothing that moves a cursor', async (t) => {
    const { projections, steps } = await opened()
    const [session] = findSessions(projections.database, SESSION)
    assert.ok(session !== undefined)
    const printed = [renderReplayHeader(session)]
    for await (const step of steps()) printed.push(renderStep(step, renderers))
    assert.doesNotMatch(printed.join('\n'), /(?!\n)[\p{Cc}\p{Cf}]/u)
    t.assert.snapshot(printed.flatMap((part) => part.split('\n')))
    projections.close()
  })

  test('a recording nobody can render says so', async () => {
    const { projections, steps } = await opened()
    const first = (await steps().next()).value as ReplayStep
    assert.match(renderStep(first, {}), /31 bytes of test\/text, which nothing here can render/)
    projections.close()
  })

  test('played in time, it waits between commands as the session did', async () => {
    const { projections, steps } = await opened()
    const before = performance.now()
    const played = await collected(playReplay(steps(), 200))
    const took = performance.now() - before
    assert.equal(played.length, 3)
    assert.ok(took >= 20_049 / 200 - 5 && took < 2000, `${took} ms`)
    projections.close()
  })
})

describe('the sessions', () => {
  test('are listed with what they did and how they ended', async () => {
    const { projections } = await opened()
    const [first, second] = querySessions(projections.database)
    assert.deepEqual([first?.session, first?.commands, first?.held, first?.reason, first?.stream], [SESSION, 3, 1, 'client-terminated', `session-${SESSION}`])
    assert.deepEqual([second?.session, second?.commands, second?.closed], [OTHER, 1, ''])
    assert.deepEqual(querySessions(projections.database, { open: true }).map(({ session }) => session), [OTHER])
    assert.deepEqual(querySessions(projections.database, { person: 'helper-bot', target: 'shop' }).map(({ session }) => session), [SESSION])
    assert.match(renderSessions(querySessions(projections.database)), /000000b2\S+ +2026-11-21 09:00:00 +ada +shop +1 +0 +open/)
    projections.close()
  })

  test('are found by the beginning of their id', async () => {
    const { projections } = await opened()
    assert.equal(findSessions(projections.database, '000000a1').length, 1)
    assert.equal(findSessions(projections.database, '000000').length, 2)
    assert.equal(findSessions(projections.database, '%').length, 0)
    projections.close()
  })
})
