import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { loadConfig, parseConfig, type Config } from '../../../gateway/config/index.ts'

const VERIFIER = `SCRAM-SHA-256$4096:BhW+7buzPYGs+Wcp8gPNOA==$${'A'.repeat(43)}=:${'B'.repeat(43)}=`
const TARGETS = 'targets: { shop: { protocol: postgresql, host: db, database: shop, user: app } }'
const LISTENERS = 'listeners: [{ protocol: postgresql, listen: "127.0.0.1:15432" }]'

/** A valid file whose first line is `extra`, so that its problems are on line 1 unless said. */
const withLine = (extra: string): string => `${extra}\n${LISTENERS}\n${TARGETS}\n`
const withListener = (listener: string): string => `${TARGETS}\nlisteners:\n  - ${listener}\n`
const withTarget = (lines: string): string => `${LISTENERS}\ntargets:\n  shop:\n    protocol: postgresql\n    host: db\n    database: shop\n    user: app\n    ${lines}\n`
const withPeople = (lines: string): string => `${LISTENERS}\n${TARGETS}\npeople:\n  ${lines}\n`

function valid(source: string): Config {
  const { config, problems } = parseConfig(source, '/etc/sallyport')
  assert.deepEqual(problems, undefined)
  assert.ok(config !== undefined)
  return config
}

/** What is written → the line and the words of its one problem. */
const table: readonly (readonly [what: string, source: string, line: number, message: RegExp])[] = [
  ['a mistyped section', withLine('gatway: {}'), 1, /^unknown key "gatway"; did you mean "gateway"\?$/],
  ['a section nobody knows', withLine('frobnicate: 1'), 1, /^unknown key "frobnicate"; write one of gateway, store, /],
  ['a mistyped key in a target', withTarget('pasword: "${env:X}"'), 8, /^targets\.shop: unknown key "pasword"; did you mean "password"\?$/],
  ['an impact with a time that is none', withLine('approvals: { impact: { timeout: 2 } }'), 1, /^approvals\.impact\.timeout: write a duration with its unit/],
  ['an impact with a mistyped key', withLine('approvals: { impact: { max_cost: 2 } }'), 1, /did you mean "max-cost"\?/],
  ['an underscore for a hyphen', withTarget('connect_timeout: 5s'), 8, /did you mean "connect-timeout"\?/],
  ['a password in the clear', withTarget('password: hunter2'), 8, /^targets\.shop\.password: a secret does not belong in this file; write "\$\{env:NAME\}" or "\$\{file:path\}"$/],
  ['a password that is a number', withTarget('password: 12345'), 8, /a secret does not belong in this file/],
  ['a reference in the middle of a secret', withTarget('password: "x${env:NAME}"'), 8, /a secret does not belong in this file/],
  ['a reference of an unknown kind', withTarget('password: "${vault:x}"'), 8, /a secret does not belong in this file/],
  ['a TLS key in the clear', withListener('{ protocol: postgresql, listen: "127.0.0.1:1", tls: { cert: "${file:c}", key: "-----BEGIN" } }'), 3, /^listeners\[0\]\.tls\.key: a secret/],
  ['a TLS listener without its key', withListener('{ protocol: postgresql, listen: "127.0.0.1:1", tls: { cert: "${file:c}" } }'), 3, /^listeners\[0\]\.tls\.key is missing; a secret/],
  ['a client certificate without its key', withTarget('tls: { cert: "${file:c}" }'), 8, /needs both "cert" and "key"/],
  ['a TLS mode that does not exist', withTarget('tls: { mode: verify }'), 8, /write one of: disable, prefer, require, verify-ca, verify-full$/],
  ['a port out of range', withTarget('port: 99999'), 8, /write a whole number from 1 to 65535/],
  ['a port that is a text', withTarget('port: "5432"'), 8, /write a whole number from 1 to 65535/],
  ['a label in capitals', withTarget('labels: { Env: production }'), 8, /^targets\.shop\.labels\.Env: write a label in small letters/],
  ['a label that is a number', withTarget('labels: { tier: 1 }'), 8, /^targets\.shop\.labels\.tier: write a text/],
  ['a class without a column', withTarget('classes: { customers: pii.email }'), 8, /write a column as schema\.table\.column/],
  ['a class that is none', withTarget('classes: { public.customers.email: PII }'), 8, /write a class in small letters/],
  ['databases that are no list', withTarget('databases: reporting'), 8, /write a list of database names/],
  ['a flag that is a word', withTarget('fastpath: maybe'), 8, /write true or false/],
  ['a timeout without a unit', withTarget('connect-timeout: 10'), 8, /write a duration with its unit, such as 500ms, 30s/],
  ['a timeout that is too long', withTarget('connect-timeout: 2h'), 8, /write a duration from 100ms to 5m/],
  ['a mask key in the clear', withTarget('mask-key: hunter2hunter2hunter2'), 8, /^targets\.shop\.mask-key: a secret does not belong in this file/],
  ['a rotation that is too short', withTarget('mask-key-rotation: 5m'), 8, /^targets\.shop\.mask-key-rotation: write a duration from 1h to 366d/],
  ['a pattern that RE2 does not have', withLine("detection: { patterns: { badge: { pattern: '(?=x)' } } }"), 1, /^detection\.patterns\.badge\.pattern: the pattern "badge" is not of RE2/],
  ['a pattern that is named like a built-in entity', withLine("detection: { patterns: { email: { pattern: 'x+' } } }"), 1, /^detection\.patterns\.email: write a name in small letters/],
  ['a pattern that matches nothing', withLine("detection: { patterns: { badge: { pattern: 'x*' } } }"), 1, /matches the empty text/],
  ['a pattern that is too sure', withLine("detection: { patterns: { badge: { pattern: 'x+', confidence: 2 } } }"), 1, /^detection\.patterns\.badge\.confidence: write a number from 0 to 1/],
  ['context that is no words', withLine("detection: { patterns: { badge: { pattern: 'x+', context: ['no. 1'] } } }"), 1, /write a list of words/],
  ['an unknown protocol', withListener('{ protocol: mysql, listen: "127.0.0.1:1" }'), 3, /^listeners\[0\]\.protocol: write protocol: postgresql$/],
  ['no protocol', withListener('{ listen: "127.0.0.1:1" }'), 3, /listeners\[0\]\.protocol is missing; write protocol: postgresql/],
  ['a listener without an address', withListener('{ protocol: postgresql }'), 3, /^listeners\[0\]\.listen is missing; write an address and a port/],
  ['an address without a port', withListener('{ protocol: postgresql, listen: localhost }'), 3, /^listeners\[0\]\.listen: write an address and a port/],
  ['a port beyond all ports', withListener('{ protocol: postgresql, listen: "127.0.0.1:70000" }'), 3, /write an address and a port/],
  ['a listener for a target that is not there', withListener('{ protocol: postgresql, listen: "127.0.0.1:1", target: shp }'), 3, /^listeners\[0\]\.target: there is no target "shp"; did you mean "shop"\?$/],
  ['two listeners on one port', withListener('{ protocol: postgresql, listen: "127.0.0.1:1" }\n  - { protocol: postgresql, listen: "127.0.0.1:1" }'), 4, /127\.0\.0\.1:1 is already taken by listeners\[0\]/],
  ['no listeners', TARGETS, 1, /^listeners is missing; write a list of listeners/],
  ['an empty list of listeners', `${TARGETS}\nlisteners: []`, 2, /write at least one listener/],
  ['no targets', LISTENERS, 1, /^targets is missing/],
  ['an empty section of targets', `${LISTENERS}\ntargets: {}`, 2, /write at least one target/],
  ['a store that does not exist', withLine('store: embeded'), 1, /^store: unknown key "embeded"; did you mean "embedded"\?$/],
  ['two stores', withLine('store: { embedded: {}, memory: {} }'), 1, /^store: write one of: embedded, memory/],
  ['a store with a password in its address', withLine('store: { eventstoredb: "esdb://admin:changeit@host:2113" }'), 1, /a password does not belong in this file/],
  ['a store with an address of something else', withLine('store: { eventstoredb: "http://host" }'), 1, /write "esdb:\/\/host:2113"/],
  ['a bus without servers', withLine('bus: { nats: { servers: [] } }'), 1, /write at least one server/],
  ['a bus server of another kind', withLine('bus: { nats: { servers: ["http://x"] } }'), 1, /^bus\.nats\.servers\[0\]: write "nats:\/\/host:4222"/],
  ['a bus token in the clear', withLine('bus: { nats: { servers: ["nats://x"], token: abc } }'), 1, /a secret does not belong in this file/],
  ['an audit mode that does not exist', withLine('audit: sometimes'), 1, /^audit: write one of: write-ahead, relaxed$/],
  ['a default that is no effect', withLine('rules: { default: mask }'), 1, /^rules\.default: write one of: block, allow$/],
  ['a size without a unit', withLine('recording: { bytes-per-command: 64 }'), 1, /write a size with its unit, such as 64KiB/],
  ['a size beyond the cap', withLine('recording: { bytes-per-command: 17MiB }'), 1, /write a size from 0 to 16777216 bytes/],
  ['no sessions at all', withLine('limits: { sessions: 0 }'), 1, /write a whole number from 1 to 100000/],
  ['an API open to the network', withLine('api: { listen: "0.0.0.0:8443" }'), 1, /^api\.listen: the API speaks plain HTTP and listens only on this machine/],
  ['an API in two places', withLine('api: { socket: a.sock, listen: "127.0.0.1:1" }'), 1, /write either socket or listen, not both/],
  ['a socket with too long a path', withLine(`api: { socket: ${'x'.repeat(101)} }`), 1, /at most 100 characters/],
  ['an approver nobody is', withLine('approvals: { approvers: [ada] }'), 1, /there is no person "ada"; add it under people/],
  ['a group of approvers nobody is in', withLine('approvals: { approvers: [group:reviewers] }'), 1, /nobody is in the group "reviewers"/],
  ['an approver with a space', withLine('approvals: { approvers: ["a b"] }'), 1, /write group:NAME or the name of a person/],
  ['a person whose name has a space', withPeople('"ada l": {}'), 4, /^people\.ada l: write a name of at most 63/],
  ['a person with a password', withPeople('ada: { postgresql: { verifier: hunter2 } }'), 4, /write what `sallyport password` prints \(SCRAM-SHA-256\$…\), or a reference to it; never a password$/],
  ['a person with a token in the clear', withPeople('ada: { api: { token: sallyport_abc } }'), 4, /write what `sallyport token` prints \(sha256:…\), never the token itself$/],
  ['a person of an unknown kind', withPeople('ada: { kind: robot }'), 4, /write one of: person, service, agent/],
  ['a person with a target that is not there', withPeople('ada: { targets: [shop, bill] }'), 4, /^people\.ada\.targets\[1\]: there is no target "bill"/],
  ['a person who acts for another', withPeople('ada: {}\n  bob: { acts-for: ada }'), 5, /only an agent acts for somebody/],
  ['an agent that acts for nobody there', withPeople('bot: { kind: agent, acts-for: ada }'), 4, /there is no person "ada"/],
  ['an agent that acts for an agent', withPeople('one: { kind: agent }\n  two: { kind: agent, acts-for: one }'), 5, /is an agent itself/],
  ['an agent that acts for itself', withPeople('bot: { kind: agent, acts-for: bot }'), 4, /an agent cannot act for itself/],
  ['an agent that reviews', withPeople(`bot: { kind: agent, api: { token: "sha256:${'0'.repeat(64)}" } }`), 4, /an agent cannot review/],
  ['the same key twice', withLine('audit: relaxed\naudit: relaxed'), 2, /this key is written twice/],
  ['a tab for indentation', `${LISTENERS}\ntargets:\n\tshop: {}`, 3, /a tab cannot indent YAML/],
  ['an unquoted reference inside braces', withListener('{ protocol: postgresql, listen: "127.0.0.1:1", tls: { cert: ${file:c}, key: "${file:k}" } }'), 3, /write references in quotes/],
  ['an alias', `x: &x 1\ny: *x\n${LISTENERS}`, 2, /aliases \(\*name\) are not supported/],
  ['a list where the file should be a section', '- a', 1, /^expected a section with gateway, store/],
]

describe('a configuration with one problem', () => {
  for (const [what, source, line, message] of table) {
    test(`${what} is found on its line, with what to write`, () => {
      const { problems } = parseConfig(source, '/')
      assert.ok(problems !== undefined, 'nothing was found')
      assert.deepEqual(problems.map((problem) => problem.line), problems.map(() => line))
      assert.match(problems[0]?.message ?? '', message)
      if (!/written twice|in quotes/.test(String(message))) assert.equal(problems.length, 1, JSON.stringify(problems))
    })
  }
})

describe('the configuration file', () => {
  test('all problems are found at once, in the order of their lines', () => {
    const { problems } = parseConfig(`audit: x\n${withTarget('password: hunter2')}people: { ada: { targets: [nope] } }\nfoo: 1`, '/')
    assert.deepEqual(problems?.map(({ line }) => line), [1, 9, 10, 11])
  })

  test('no problem repeats what may be a secret', () => {
    for (const [, source] of table) {
      const { problems } = parseConfig(source, '/')
      assert.doesNotMatch(JSON.stringify(problems), /hunter2|12345|changeit|sallyport_abc|BEGIN/)
    }
  })

  test('the smallest one is complete, with the defaults that fail closed', () => {
    const config = valid(`${LISTENERS}\n${TARGETS}`)
    assert.deepEqual(
      [config.rules.default, config.audit, config.store, config.bus, config.api, config.rules.folder, config.targets['shop']?.tls],
      ['block', 'write-ahead', { embedded: { path: '/etc/sallyport/data/events.db' } }, { local: {} }, { socket: '/etc/sallyport/data/api.sock' }, '/etc/sallyport/rules', undefined])
  })

  test('a full one is read: units, paths, references, everybody', () => {
    const config = valid(`
gateway: { name: gw-2 }
store: { eventstoredb: "\${env:ESDB}" }
bus: { nats: { servers: ["nats://a:4222", "tls://b:4222"], user: u, password: "\${file:nats.pw}", tls: { ca: ca.pem } } }
audit: relaxed
rules: { folder: /srv/rules, watch: false, default: allow }
approvals: { approvers: [group:reviewers, ada], timeout: 90s }
recording: { bytes-per-command: 1MiB }
api: { listen: "[::1]:8443" }
${LISTENERS}
targets:
  shop: { protocol: postgresql, host: db, port: 6432, database: shop, user: app, password: "\${file:pw}", tls: { mode: require, server-name: x }, databases: [a], labels: { env: prod }, classes: { "*.customers.email": pii.email } }
people:
  ada: { groups: [reviewers], postgresql: { verifier: "${VERIFIER}" }, targets: [shop] }
  bot: { kind: agent, acts-for: ada, postgresql: { verifier: "\${env:BOT}" } }
`)
    assert.deepEqual([config.approvals.timeout, config.recording.bytesPerCommand, config.api.listen], [90_000, 1_048_576, { host: '::1', port: 8443 }])
    assert.deepEqual([config.targets['shop']?.password, config.bus.nats?.password, config.bus.nats?.tls?.ca, config.rules.folder], ['${file:/etc/sallyport/pw}', '${file:/etc/sallyport/nats.pw}', '/etc/sallyport/ca.pem', '/srv/rules'])
    assert.equal(config.people['bot']?.actsFor, 'ada')
    assert.equal(config.targets['shop']?.tls?.serverName, 'x')
  })

  test('names that every object has are ordinary names', () => {
    const { problems } = parseConfig(withPeople('constructor: {}\n  toString: { targets: [hasOwnProperty] }'), '/')
    assert.deepEqual(problems?.map(({ line }) => line), [5])
    assert.equal(parseConfig(withPeople('__proto__: { kind: robot }'), '/').problems?.length, 1)
  })

  test('a file that is not there, too large, or a folder is one clear problem', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-config-'))
    const large = join(folder, 'large.yaml')
    writeFileSync(large, '')
    truncateSync(large, 2 * 1024 * 1024)
    assert.match((await loadConfig(join(folder, 'none.yaml'))).problems?.[0]?.message ?? '', /no such file; `sallyport init` writes one/)
    assert.match((await loadConfig(large)).problems?.[0]?.message ?? '', /larger than 1048576 bytes/)
    assert.match((await loadConfig(folder)).problems?.[0]?.message ?? '', /cannot be read/)
    rmSync(folder, { recursive: true })
  })
})
