import assert from 'node:assert/strict'
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { cruiseImports, type Imports } from './cruise-imports.ts'
import { IMPORT_RULES } from './import-rules.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** A house in good order, one line per file. */
const SOUND: Readonly<Record<string, string>> = {
  'core/events/index.ts': "export * from './envelope.ts'",
  'core/events/envelope.ts': "import { Type } from 'typebox'\nexport const E = Type",
  'core/index.ts': "export * from './events/index.ts'\nexport * from './store/event-store.ts'",
  'core/store/event-store.ts': "import type { E } from '../events/index.ts'\nexport type Store = typeof E",
  'core/store/drivers/memory/index.ts': "import type { Store } from '../../event-store.ts'\nexport type Memory = Store",
  'core/rules/rule.ts': "import { Subject } from 'rxjs'\nexport const rules = new Subject()",
  'adapters/shared/bytes.ts': "export const bytes = 1",
  'adapters/one/adapter.ts': "import { E } from '../../core/index.ts'\nimport { frame } from './wire/frame.ts'\nimport { bytes } from '../shared/bytes.ts'\nexport const one = [E, frame, bytes]",
  'adapters/one/wire/frame.ts': "import { createHash } from 'node:crypto'\nimport { body } from './body.ts'\nexport const frame = [createHash, body]",
  'adapters/one/wire/body.ts': "import { Buffer } from 'node:buffer'\nexport const body = Buffer",
  'adapters/two/adapter.ts': "export const two = 2",
  'projections/audit.ts': "import { E } from '../core/index.ts'\nexport const audit = E",
  'projections/index.ts': "export * from './audit.ts'",
  'plugins/sdk/index.ts': "export * from '../../core/index.ts'",
  'plugins/notify/index.ts': "import { E } from '../sdk/index.ts'\nimport { text } from './text.ts'\nexport const notify = [E, text]",
  'plugins/notify/text.ts': 'export const text = 1',
  'gateway/main.ts': "import { Container } from 'inversify'\nimport type { Memory } from '../core/store/drivers/memory/index.ts'\nimport { one } from '../adapters/one/adapter.ts'\nimport { rules } from '../core/rules/rule.ts'\nimport { audit } from '../projections/index.ts'\nexport const main: [unknown, Memory[]] = [[Container, one, audit, rules], []]",
  'test/main.test.ts': "import { main } from '../gateway/main.ts'\nimport '../core/rules/rule.ts'\nexport const t = main",
  'bench/main.ts': "import '../gateway/main.ts'\nimport '../core/store/drivers/memory/index.ts'",
}

/** File, its forbidden import, and every rule that has to say so. */
const PLANTED: readonly (readonly [file: string, source: string, ...rules: string[]])[] = [
  ['core/events/bad.ts', "import type { Store } from '../store/event-store.ts'\nexport type Bad = Store", 'events-import-nothing'],
  ['core/bad-adapter.ts', "import '../adapters/one/adapter.ts'", 'core-knows-nobody'],
  ['core/bad-projection.ts', "export type * from '../projections/index.ts'", 'core-knows-nobody'],
  ['core/bad-plugin.ts', "export * from '../plugins/sdk/index.ts'", 'core-knows-nobody'],
  ['core/bad-gateway.ts', "export const late = () => import('../gateway/main.ts')", 'core-knows-nobody', 'nobody-imports-the-gateway'],
  ['core/bad-driver.ts', "import type { Memory } from './store/drivers/memory/index.ts'\nexport type Bad = Memory", 'drivers-are-handed-in'],
  ['adapters/one/bad-driver.ts', "import type { Memory } from '../../core/store/drivers/memory/index.ts'\nexport type Bad = Memory", 'core-has-one-door'],
  ['adapters/one/bad-rules.ts', "import '../../core/rules/rule.ts'", 'core-has-one-door'],
  ['projections/bad-door.ts', "import '../core/store/event-store.ts'", 'core-has-one-door'],
  ['plugins/sdk/bad-door.ts', "import '../../core/store/event-store.ts'", 'core-has-one-door'],
  ['adapters/one/bad-neighbour.ts', "import '../two/adapter.ts'", 'adapters-are-strangers'],
  ['adapters/shared/bad-neighbour.ts', "import '../two/adapter.ts'", 'adapters-are-strangers'],
  ['adapters/one/bad-view.ts', "import '../../projections/index.ts'", 'adapters-know-only-core'],
  ['projections/bad-adapter.ts', "import '../adapters/one/adapter.ts'", 'projections-know-only-core'],
  ['plugins/notify/bad-core.ts', "import '../../core/index.ts'", 'plugins-know-only-the-sdk'],
  ['plugins/sdk/bad-plugin.ts', "import '../notify/index.ts'", 'the-sdk-knows-only-core'],
  ['adapters/one/wire/bad-socket.ts', "import 'node:net'", 'wire-is-pure'],
  ['adapters/one/wire/bad-policy.ts', "import '../adapter.ts'", 'wire-is-pure'],
  ['adapters/one/wire/bad-core.ts', "import type { E } from '../../../core/index.ts'\nexport type Bad = typeof E", 'wire-is-pure'],
  ['adapters/one/wire/bad-package.ts', "import 'typebox'", 'wire-is-pure'],
  ['adapters/two/bad-container.ts', "import 'inversify'", 'inversify-stays-in-gateway'],
  ['test/bad-container.ts', "import 'inversify'", 'inversify-stays-in-gateway'],
  ['adapters/two/bad-stream.ts', "import { map } from 'rxjs/operators'\nexport const m = map", 'rxjs-stays-off-the-byte-path'],
  ['projections/bad-gateway.ts', "import type { main } from '../gateway/main.ts'\nexport type M = typeof main", 'projections-know-only-core', 'nobody-imports-the-gateway'],
  ['gateway/bad-bench.ts', "import '../bench/main.ts'", 'nobody-ships-tests'],
  ['core/bad-test.ts', "import '../test/main.test.ts'", 'core-knows-nobody', 'nobody-ships-tests'],
]

describe('the import rules of ARCHITECTURE.md', () => {
  it('hold in this house', async () => {
    const { modules, unresolved, violations } = await cruiseImports(ROOT)
    assert.ok(modules.length > 50, `only ${modules.length} modules were read: the tool does not see the sources`)
    for (const file of ['core/gate.ts', 'adapters/postgresql/wire/frame-reader.ts']) assert.ok(modules.includes(file), `${file} was not read`)
    assert.deepEqual(unresolved, [], 'imports that lead nowhere are imports that no rule checks')
    assert.deepEqual(violations.map(explained), [])
  })

  describe('each of them', () => {
    let folder: string
    let imports: Imports
    before(async () => {
      folder = mkdtempSync(join(tmpdir(), 'import-rules-'))
      for (const [file, source] of Object.entries(SOUND)) write(folder, file, source)
      assert.deepEqual((await cruiseImports(folder)).violations, [], 'a house in good order breaks no rule')
      for (const [file, source] of PLANTED) write(folder, file, source)
      imports = await cruiseImports(folder)
    })
    after(() => rmSync(folder, { recursive: true, force: true }))

    for (const [file, , ...rules] of PLANTED) {
      it(`catches ${file}: ${rules.join(', ')}`, () => {
        const caught = imports.violations.filter(({ from }) => from === file).map(({ rule }) => rule)
        assert.deepEqual(caught.toSorted(), rules.toSorted())
      })
    }

    it('catches nothing else', () => {
      const planted = new Set(PLANTED.map(([file]) => file))
      assert.deepEqual(imports.violations.filter(({ from }) => !planted.has(from)), [])
    })

    it('has a planted violation, and a comment that says what to do instead', () => {
      const caught = new Set(PLANTED.flatMap(([, , ...rules]) => rules))
      assert.deepEqual(IMPORT_RULES.map(({ name }) => name).filter((name) => !caught.has(name ?? '')), [])
      for (const { name, comment } of IMPORT_RULES) assert.ok((comment ?? '').length > 40, `${name} has no advice`)
    })
  })
})

function explained({ rule, from, to }: Imports['violations'][number]): string {
  return `${from} → ${to}: ${IMPORT_RULES.find(({ name }) => name === rule)?.comment}`
}

function write(folder: string, file: string, source: string): void {
  mkdirSync(dirname(join(folder, file)), { recursive: true })
  writeFileSync(join(folder, file), `${source}\n`)
}
