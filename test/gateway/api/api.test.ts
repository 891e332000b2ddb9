import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { createLocalBus } from '../../../core/bus/drivers/local/index.ts'
import { Approvals, Grants, SallyportError, systemClock, type ApprovalRequested, type GrantIssued, type Identity, type Impact } from '../../../core/index.ts'
import { createMemoryStore } from '../../../core/store/drivers/memory/index.ts'
import { callers, createApi, listenApi, LiveSessions, mintToken, type ApiDependencies, type Health, type ProblemDetails, type ShownApproval, type ShownGrant } from '../../../gateway/api/index.ts'
import { parseConfig, type Config } from '../../../gateway/config/index.ts'
import { identityOf } from '../../../gateway/identity-of.ts'
import { command, identity, target } from '../../projections/event-stream.ts'

const tokens = { ada: mintToken(), grace: mintToken(), ops: mintToken(), eve: mintToken() }

function people(): Config['people'] {
  const source = `
listeners: [{ protocol: postgresql, listen: "127.0.0.1:0" }]
targets: { shop: { protocol: postgresql, host: localhost, database: shop, user: app } }
people:
  ada: { groups: [reviewers], api: { token: "${tokens.ada.digest}" } }
  grace: { groups: [reviewers], api: { token: "${tokens.grace.digest}" } }
  eve: { groups: [], api: { token: "${tokens.eve.digest}" } }
  ops: { api: { token: "${tokens.ops.digest}", operator: true } }
  bot: { kind: agent, acts-for: ada }
`
  const { config, problems } = parseConfig(source, '/')
  assert.equal(problems, undefined)
  assert.ok(config !== undefined)
  return config.people
}

const health = (ok: boolean): Health => ({ status: ok ? 'ok' : 'failing', gateway: 'one', version: '0', sessions: 0, ruleset: 'sha256:00', problem: ok ? '' : 'the store' })

interface Answer { status: number; type: string; body: unknown }

const refused = ({ status, type, body }: Answer, expected: number, code: ProblemDetails['code']): void => {
  assert.deepEqual([status, type.split(';')[0], (body as ProblemDetails).code, (body as ProblemDetails).status], [expected, 'application/problem+json', code, expected])
}
const reloaded: ApiDependencies['reloadRules'] = async () => ({ digest: 'sha256:00', rules: 3 })

describe('the local API', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sp-api-'))
  const socket = join(folder, 'run', 'api.sock')
  const store = createMemoryStore()
  const bus = createLocalBus()
  const approvals = new Approvals({ store, bus, clock: systemClock, source: 'sallyport/test' })
  const everybody = people()
  const directory = { find: (name: string) => (everybody[name] === undefined ? undefined : { identity: identityOf(name, everybody[name]), targets: undefined, verifiers: {} }) }
  const grants = new Grants({ store, bus, clock: systemClock, source: 'sallyport/test', directory, targets: ['shop'], approvers: ['group:reviewers'], maxSeconds: 3600 })
  const now = (): number => systemClock.now()
  const live = new LiveSessions(bus)
  const refusals: string[] = []
  let reload = reloaded
  let healthy = true
  const app = createApi({
    caller: callers(everybody), approvals, grants, now, sessions: () => live.list(), reloadRules: () => reload(),
    health: async () => health(healthy), refused: ({ code }) => { refusals.push(code) }, failed: () => {},
  })
  before(async () => { assert.equal(await listenApi(app, { socket }), `unix:${socket}`) })
  after(async () => {
    await app.close()
    grants.close()
    live.close()
    await bus.close()
    rmSync(folder, { recursive: true })
  })

  const call = (method: string, path: string, who?: string, body?: unknown): Promise<Answer> => new Promise((resolve, reject) => {
    const token = who === undefined ? undefined : who in tokens ? tokens[who as keyof typeof tokens].token : who
    const headers = { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...(body === undefined ? {} : { 'content-type': 'application/json' }) }
    const sent = request({ socketPath: socket, method, path, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => { text += chunk })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', body: JSON.parse(text) }))
    })
    sent.on('error', reject)
    sent.end(body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body))
  })
  const ask = (requester: Identity, approvers: string[] = ['group:reviewers'], impact?: Impact): Promise<ApprovalRequested> => approvals.request(
    { session: 's', command: 'c', asked: command('DELETE FROM payments'), identity: requester, target: target('shop'), ruleset: 'sha256:00' },
    { approvers, timeoutSeconds: 60 }, [], impact)

  test('the socket is for its owner only', () => {
    assert.equal(statSync(socket).mode & 0o777, 0o600)
  })

  test('health needs no token, and says when something fails', async () => {
    assert.deepEqual((await call('GET', '/v1/health')).body, health(true))
    healthy = false
    assert.equal((await call('GET', '/v1/health')).status, 503)
    healthy = true
  })

  test('nothing else answers without a token that is known', async () => {
    refusals.length = 0
    for (const token of [undefined, '', 'x', tokens.ada.digest, tokens.ada.token.slice(0, -1), mintToken().token, `${tokens.ada.token} `.repeat(2)]) {
      for (const path of ['/v1/approvals', '/v1/approvals/abc', '/v1/sessions']) refused(await call('GET', path, token), 401, 'ACCESS_REFUSED')
      refused(await call('POST', '/v1/approvals/abc/approve', token, { digest: 'x' }), 401, 'ACCESS_REFUSED')
    }
    assert.equal(refusals.length, 28)
  })

  test('what it would change is shown to a reviewer, and not to who asked for it', async () => {
    const impact: Impact = { summary: 'deletes 2 rows of public.payments', effects: [], notes: [], unknown: [] }
    const held = await ask(identity('ada'), undefined, impact)
    const seenBy = async (who: string): Promise<(Impact | undefined)[]> => [
      ((await call('GET', '/v1/approvals', who)).body as { approvals: ApprovalRequested[] }).approvals.find(({ approval }) => approval === held.approval)?.impact,
      ((await call('GET', `/v1/approvals/${held.approval}`, who)).body as ShownApproval).request.impact,
    ]
    assert.deepEqual(await seenBy('grace'), [impact, impact])
    assert.deepEqual(await seenBy('ada'), [undefined, undefined])
    await approvals.withdraw(held.approval, 'the test is over')
    await approvals.resolution(held, AbortSignal.abort())
  })

  test('a second person approves: the holder hears of it, and the stream names them', async () => {
    const held = await ask(identity('ada'))
    const resolved = approvals.resolution(held, new AbortController().signal)
    const listed = (await call('GET', '/v1/approvals', 'grace')).body as { approvals: ApprovalRequested[] }
    assert.deepEqual(listed.approvals.map(({ approval, digest }) => [approval, digest]), [[held.approval, held.digest]])
    const answered = await call('POST', `/v1/approvals/${held.approval}/approve`, 'grace', { digest: held.digest, comment: 'looks right' })
    assert.equal(answered.status, 200)
    assert.equal((answered.body as ShownApproval).answeredBy, 'grace')
    assert.deepEqual(await resolved, { status: 'granted', by: { subject: 'grace', kind: 'person', actor: '', groups: ['reviewers'], method: 'api-token' }, comment: 'looks right' })
    refused(await call('POST', `/v1/approvals/${held.approval}/deny`, 'grace', { digest: held.digest }), 409, 'APPROVAL_REFUSED')
  })

  test('the requester cannot approve, nor what their agent asked for', async () => {
    for (const requester of [identity('ada'), identity('ada', 'ada-bot')]) {
      const held = await ask(requester)
      const answer = await call('POST', `/v1/approvals/${held.approval}/approve`, 'ada', { digest: held.digest })
      refused(answer, 409, 'APPROVAL_REFUSED')
      assert.match((answer.body as ProblemDetails).detail, /a second person/)
      assert.equal((await approvals.get(held.approval)).status, 'pending')
    }
  })

  test('an approval does not exist for those who neither asked nor may answer', async () => {
    const held = await ask(identity('ada'))
    refused(await call('GET', `/v1/approvals/${held.approval}`, 'eve'), 404, 'APPROVAL_UNKNOWN')
    refused(await call('POST', `/v1/approvals/${held.approval}/approve`, 'eve', { digest: held.digest }), 404, 'APPROVAL_UNKNOWN')
    assert.deepEqual((await call('GET', '/v1/approvals', 'eve')).body, { approvals: [] })
  })

  test('an answer to something else than what is asked is refused', async () => {
    const held = await ask(identity('ada'))
    refused(await call('POST', `/v1/approvals/${held.approval}/approve`, 'grace', { digest: `sha256:${'0'.repeat(64)}` }), 409, 'APPROVAL_REFUSED')
  })

  const malformed: [string, unknown, number][] = [
    ['no digest', {}, 400],
    ['a digest that is none', { digest: 'yes' }, 400],
    ['an unknown key', { digest: `sha256:${'0'.repeat(64)}`, force: true }, 400],
    ['a long comment', { digest: `sha256:${'0'.repeat(64)}`, comment: 'x'.repeat(1001) }, 400],
    ['a comment that is a number', { digest: `sha256:${'0'.repeat(64)}`, comment: 1 }, 400],
    ['broken JSON', '{', 400],
    ['a body beyond the limit', 'x'.repeat(20_000), 413],
  ]
  for (const [what, body, status] of malformed) {
    test(`${what} is refused with ${status}`, async () => {
      refused(await call('POST', '/v1/approvals/abc/approve', 'grace', body), status, 'BAD_REQUEST')
    })
  }

  test('an unknown path is a problem too', async () => {
    refused(await call('GET', '/v2/nothing?x=1'), 404, 'NOT_FOUND')
    refused(await call('GET', `/v1/approvals/${'..%2f'.repeat(3)}`, 'grace'), 400, 'BAD_REQUEST')
  })

  test('sessions and rules are for operators', async () => {
    refused(await call('GET', '/v1/sessions', 'grace'), 403, 'ACCESS_REFUSED')
    refused(await call('POST', '/v1/rules/reload', 'grace'), 403, 'ACCESS_REFUSED')
    assert.deepEqual((await call('POST', '/v1/rules/reload', 'ops')).body, { digest: 'sha256:00', rules: 3 })
  })

  test('open sessions are listed until they close', async () => {
    const opened = { session: 's1', protocol: 'postgresql', identity: identity('ada'), target: target('shop'), address: '127.0.0.1:9', tls: true, claimed: { application_name: 'psql' } }
    bus.publish('sallyport.event.session.opened', { source: 'sallyport/one', time: '2026-11-21T09:00:00.000Z', data: opened })
    await bus.request('nobody', {}, { timeoutMs: 1 }).catch(() => {})
    assert.deepEqual((await call('GET', '/v1/sessions', 'ops')).body, { sessions: [{
      session: 's1', gateway: 'sallyport/one', opened: '2026-11-21T09:00:00.000Z', person: 'ada', actor: '', protocol: 'postgresql', target: 'shop', database: 'shop', address: '127.0.0.1:9', tls: true, application: 'psql',
    }] })
    bus.publish('sallyport.event.session.closed', { data: { session: 's1' } })
    await bus.request('nobody', {}, { timeoutMs: 1 }).catch(() => {})
    assert.deepEqual((await call('GET', '/v1/sessions', 'ops')).body, { sessions: [] })
  })

  test('a second person gives a grant, who it is for sees it, and either ends it', async () => {
    const asked = { to: 'eve', target: 'shop', columns: ['class:pii.email'], seconds: 600, reason: 'ticket 42' }
    const issued = (await call('POST', '/v1/grants', 'grace', asked)).body as ShownGrant
    assert.deepEqual([issued.status, issued.issued.by.subject, issued.issued.to], ['issued', 'grace', 'eve'])
    const { grant } = issued.issued
    for (const who of ['eve', 'grace', 'ada']) {
      const { grants: listed } = (await call('GET', '/v1/grants', who)).body as { grants: GrantIssued[] }
      assert.deepEqual(listed.map((each) => each.grant), [grant], who)
    }
    assert.deepEqual((await call('GET', '/v1/grants', 'ops')).body, { grants: [] })
    refused(await call('GET', `/v1/grants/${grant}`, 'ops'), 404, 'GRANT_UNKNOWN')
    refused(await call('POST', `/v1/grants/${grant}/revoke`, 'ops', { reason: 'x' }), 404, 'GRANT_UNKNOWN')
    const revoked = (await call('POST', `/v1/grants/${grant}/revoke`, 'eve', { reason: 'done' })).body as ShownGrant
    assert.deepEqual([revoked.status, revoked.revokedBy, revoked.revokedBecause], ['revoked', 'eve', 'done'])
    refused(await call('POST', `/v1/grants/${grant}/revoke`, 'grace', { reason: 'again' }), 409, 'GRANT_REFUSED')
    assert.deepEqual((await call('GET', '/v1/grants', 'grace')).body, { grants: [] })
  })

  test('nobody gives a grant to themselves or their agent, or without being one who may, and nonsense is refused', async () => {
    const asked = { to: 'ada', target: 'shop', columns: ['class:pii.email'], seconds: 600, reason: 'ticket 42' }
    const cases: readonly (readonly [who: string, change: object, status: number, code: ProblemDetails['code'], said: RegExp])[] = [
      ['ada', {}, 409, 'GRANT_REFUSED', /a second person/], ['ada', { to: 'bot' }, 409, 'GRANT_REFUSED', /bot acts for you/],
      ['eve', {}, 409, 'GRANT_REFUSED', /not one of those/], ['grace', { to: 'nobody' }, 409, 'GRANT_REFUSED', /nobody called/],
      ['grace', { target: 'barn' }, 409, 'GRANT_REFUSED', /no target "barn"/], ['grace', { columns: ['email'] }, 409, 'GRANT_REFUSED', /not a column/],
      ['grace', { seconds: 3601 }, 409, 'GRANT_REFUSED', /grants.max/], ['grace', { reason: ' ' }, 409, 'GRANT_REFUSED', /say why/],
      ['grace', { columns: [] }, 400, 'BAD_REQUEST', /columns/], ['grace', { seconds: 0 }, 400, 'BAD_REQUEST', /seconds/], ['grace', { more: 1 }, 400, 'BAD_REQUEST', /additional/],
    ]
    for (const [who, change, status, code, said] of cases) {
      const answer = await call('POST', '/v1/grants', who, { ...asked, ...change })
      refused(answer, status, code)
      assert.match((answer.body as ProblemDetails).detail, said)
    }
    assert.equal((await call('POST', '/v1/grants', 'grace', { ...asked, to: 'bot' })).status, 200)
  })

  test('broken rules say what is wrong; an unexpected failure keeps its inside to itself', async () => {
    reload = () => Promise.reject(new SallyportError('RULES_INVALID', 'rules/x.jsonata:3: unknown path'))
    refused(await call('POST', '/v1/rules/reload', 'ops'), 422, 'RULES_INVALID')
    reload = () => Promise.reject(new Error('password hunter2'))
    const answer = await call('POST', '/v1/rules/reload', 'ops')
    refused(answer, 500, 'INTERNAL')
    assert.doesNotMatch(JSON.stringify(answer.body), /hunter2/)
  })

  test('a second gateway does not take the socket; a file there is not deleted; a dead one is replaced', async () => {
    const second = createApi({ caller: () => undefined, approvals, grants, now, sessions: () => [], reloadRules: reload, health: async () => health(true), refused: () => {}, failed: () => {} })
    await assert.rejects(listenApi(second, { socket }), { code: 'CONFIG_INVALID', message: /another gateway/ })
    const file = join(folder, 'file')
    writeFileSync(file, 'precious')
    await assert.rejects(listenApi(second, { socket: file }), { code: 'CONFIG_INVALID', message: /not a socket/ })
    assert.ok(existsSync(file))
    const dead = join(folder, 'dead.sock')
    const left = createServer()
    await new Promise<void>((resolve) => { left.listen(dead, resolve) })
    renameSync(dead, `${dead}.kept`)
    await new Promise((resolve) => { left.close(resolve) })
    if (existsSync(`${dead}.kept`)) renameSync(`${dead}.kept`, dead)
    await listenApi(second, { socket: dead })
    await second.close()
  })

  test('on a port of this machine it answers the same', async () => {
    const loopback = createApi({ caller: () => undefined, approvals, grants, now, sessions: () => [], reloadRules: reload, health: async () => health(true), refused: () => {}, failed: () => {} })
    const url = await listenApi(loopback, { listen: { host: '127.0.0.1', port: 0 } })
    assert.deepEqual(await (await fetch(`${url}/v1/health`)).json(), health(true))
    await loopback.close()
  })
})
