import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createMemoryStore } from '../../core/store/drivers/memory/index.ts'
import { columns, grantsUntil, Projections, queryAudit, renderAudit, renderAuditEntry, standardProjections, type AuditEntry, type AuditFilter } from '../../projections/index.ts'
import { command, History, identity, sessionId, target, verdict } from './event-stream.ts'

const ONE = sessionId(0xa1)
const TWO = sessionId(0xb2)

function day(): History {
  const history = new History()
  history.add('gateway', 'gateway.started.v1', { gateway: 'gateway-1', version: '0.1.0', audit: 'write-ahead' })
  history.open(ONE, identity('ada'))
  history.open(TWO, identity('ada', 'helper-bot'), target('billing', 'invoices'))
  history.settle(ONE, history.command(ONE, 1, command('SELECT name FROM customers WHERE id = $1', ['7']), verdict('mask', ['mask-personal-data'])), { rows: 3, masked: { columns: ['public.customers.email'], values: 3 } })
  const dropped = history.command(ONE, 2, command('DROP TABLE customers'), verdict('block', ['block-drop', 'allow-writes']))
  history.settle(ONE, dropped, { status: 'not-forwarded', rows: 0 })
  const held = history.command(TWO, 1, command('UPDATE payments SET amount = 0'), verdict('await-approval', ['hold-payments']))
  history.approve(TWO, held, 'k3x9', true)
  history.settle(TWO, held, { status: 'failed', error: { code: '23505', message: 'duplicate key' } })
  history.add('access', 'access.refused.v1', { protocol: 'postgresql', address: '10.0.0.9:4', claimedSubject: 'eve', target: 'shop', code: 'bad-credentials', message: 'password did not match' })
  history.add('ruleset', 'ruleset.refused.v1', { kept: 'sha256:00', problems: [{ file: 'rules/x.jsonata', line: 3, message: 'unknown path' }] })
  history.close(ONE, 2)
  return history
}

async function projected(history: History): Promise<Projections> {
  const store = createMemoryStore()
  for (const { stream, events } of history.appends) await store.append(stream, events, 'any')
  const projections = new Projections({ path: ':memory:', projections: standardProjections })
  await projections.catchUp(store)
  return projections
}

async function audited(filter: AuditFilter = {}, history = day()): Promise<AuditEntry[]> {
  const projections = await projected(history)
  const entries = queryAudit(projections.database, filter)
  projections.close()
  return entries
}

describe('the audit', () => {
  test('a command says who, where, what, what was decided and how it ended', async () => {
    const [entry] = await audited({ text: 'name', effect: 'mask' })
    assert.deepEqual({ ...entry, event: '', decision: '' }, {
      entry: 4, kind: 'command', time: '2026-11-21T09:00:00.028Z', event: '', decision: '', session: ONE, number: 1, person: 'ada', actor: '', protocol: 'postgresql',
      target: 'shop', database: 'shop', address: '127.0.0.1:5000', action: 'read', fidelity: 'parsed', text: 'SELECT name FROM customers WHERE id = $1', parameters: ['7'],
      effect: 'mask', by: 'rules', rules: ['mask-personal-data'], reason: 'mask it', ruleset: 'sha256:00', approval: '', approver: '', impact: '', status: 'completed',
      rows: 3, bytes: 40, durationMs: 1.5, error: '', masked: ['public.customers.email'], exemptions: [], grants: [], beyond: '',
    })
  })

  test('a held command shows the last decision, its approval and who answered', async () => {
    const [entry] = await audited({ session: TWO, kind: 'command' })
    assert.deepEqual([entry?.effect, entry?.by, entry?.approval, entry?.approver, entry?.status, entry?.error], ['allow', 'approval', 'k3x9', 'grace', 'failed', '23505 duplicate key'])
  })

  test('shows a grant, the commands that used it, and how it ended', async () => {
    const history = new History()
    history.open(ONE)
    const by = identity('grace')
    history.add('grant-g1', 'grant.issued.v1', { grant: 'g1', to: 'ada', actsFor: '', target: 'shop', columns: ['class:pii.email'], reason: 'ticket 42', by, expires: '2026-11-21T10:00:00.000Z' })
    const lifted = { ...verdict('allow'), obligations: { masks: [], exemptions: [{ column: 'class:pii.email', by: 'grant:g1', reason: 'ticket 42' }] } }
    history.command(ONE, 1, command('SELECT email FROM people'), lifted)
    history.command(ONE, 2, command('SELECT 1'), verdict('allow'))
    history.add('grant-g1', 'grant.revoked.v1', { grant: 'g1', by, reason: 'done' })
    history.add('grant-g2', 'grant.issued.v1', { grant: 'g2', to: 'bot', actsFor: 'ada', target: 'shop', columns: ['a.b.c'], reason: 'r', by, task: 'T', expires: '2026-11-21T10:00:00.000Z' })
    const projections = await projected(history)
    const entries = queryAudit(projections.database, { grant: 'g1' })
    assert.deepEqual(entries.map(({ kind, person, text, reason }) => [kind, person, text, reason]), [
      ['grant.issued', 'ada', 'grant g1 to ada: class:pii.email until 2026-11-21T10:00:00.000Z, given by grace', 'ticket 42'],
      ['command', 'ada', 'SELECT email FROM people', 'allow it'],
      ['grant.revoked', 'grace', 'grant g1 revoked by grace', 'done'],
    ])
    assert.match(entries.map(renderAuditEntry).join('\n'), /exempt: {3}class:pii\.email by grant:g1 \(ticket 42\)/)
    assert.deepEqual(grantsUntil(projections.database, '2026-11-21T09:59:59.999Z'), ['g2'])
    assert.deepEqual(grantsUntil(projections.database, '2026-11-21T10:00:00.000Z'), [])
    projections.close()
  })

  test('shows which limit a command went beyond', async () => {
    const history = new History()
    history.open(ONE)
    const asked = history.command(ONE, 1, command('SELECT 1'), verdict('allow'))
    history.settle(ONE, asked, { status: 'cancelled', rows: 10, limit: { name: 'rows', value: 10 }, error: { code: '54000', message: 'limit reached: more than 10 rows' } })
    const entries = await audited({ kind: 'command' }, history)
    assert.deepEqual(entries.map(({ beyond, status, error }) => [beyond, status, error]), [['10 rows', 'cancelled', '54000 limit reached: more than 10 rows']])
    assert.match(renderAudit(entries), /> 10 rows/)
  })

  const filters: [AuditFilter, string[]][] = [
    [{ kind: 'command' }, ['SELECT', 'DROP', 'UPDATE']],
    [{ kind: 'command', person: 'helper-bot' }, ['UPDATE']],
    [{ kind: 'command', person: 'ada' }, ['SELECT', 'DROP', 'UPDATE']],
    [{ kind: 'command', target: 'billing' }, ['UPDATE']],
    [{ effect: 'block' }, ['DROP', 'access']],
    [{ rule: 'allow-writes' }, ['DROP']],
    [{ rule: 'allow' }, []],
    [{ session: ONE.slice(0, 8), kind: 'command' }, ['SELECT', 'DROP']],
    [{ session: '' }, []],
    [{ text: 'customers' }, ['SELECT', 'DROP']],
    [{ text: 'customers drop' }, ['DROP']],
    [{ text: 'custom*' }, ['SELECT', 'DROP']],
    [{ text: 'custom' }, []],
    [{ text: '"; DROP' }, ['DROP']],
    [{ text: 'NEAR( OR *' }, []],
    [{ text: '' }, []],
    [{ text: 'x.jsonata' }, ['ruleset']],
    [{ person: 'eve' }, ['access']],
    [{ since: '2026-11-21T09:00:00.042Z', until: '2026-11-21T09:00:00.050Z', kind: 'command' }, ['DROP']],
    [{ limit: 2 }, ['ruleset', 'session']],
    [{ event: '%' }, []],
    [{ event: '' }, []],
  ]
  for (const [filter, expected] of filters) {
    test(`filters ${JSON.stringify(filter)}`, async () => {
      assert.deepEqual((await audited(filter)).map(({ text }) => text.split(' ', 1)[0]), expected)
    })
  }

  test('the id a client was told finds its command', async () => {
    const [blocked] = await audited({ rule: 'block-drop' })
    assert.ok(blocked !== undefined)
    assert.deepEqual(await audited({ event: blocked.decision }), [blocked])
    assert.deepEqual(await audited({ event: blocked.event }), [blocked])
  })

  test('the table fits 120 columns whatever a client sent', async () => {
    const history = day()
    const wild = `SELECT '\u001b[2J\u202egnp.exe \u0007${'本'.repeat(300)}'\r\n\u0000 -- ${'x'.repeat(5000)}`
    history.open(sessionId(0xc3), identity('a'.repeat(63), 'b'.repeat(63)), target('t'.repeat(63), 'd'.repeat(63)))
    history.command(sessionId(0xc3), 1, command(wild), verdict('block'))
    const table = renderAudit(await audited({}, history))
    for (const line of table.split('\n')) assert.ok(columns(line) <= 120, line)
    assert.doesNotMatch(table, /(?!\n)[\p{Cc}\p{Cf}]/u)
    assert.match(table, /…/)
  })

  test('the table reads as a table', async (t) => {
    t.assert.snapshot(renderAudit(await audited()).split('\n'))
  })

  test('one entry tells everything there is, line by line', async (t) => {
    const [entry] = await audited({ kind: 'command', target: 'billing' })
    assert.ok(entry !== undefined)
    t.assert.snapshot(renderAuditEntry(entry).split('\n'))
  })
})
