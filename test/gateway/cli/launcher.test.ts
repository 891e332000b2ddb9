import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { LAUNCHER } from './cli-run.ts'

const OLD = ['/usr/local/bin/node', '/usr/bin/node'].find((node) => existsSync(node) && /^v(1[2-9]|2[0-3])\./.test(spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout))
const skip = OLD === undefined ? 'no older Node is installed here' : false
if (skip !== false) console.log(`skipped: ${skip}`)

describe('the launcher', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sallyport-launcher-'))
    mkdirSync(join(folder, 'bin'))
    cpSync(LAUNCHER, join(folder, 'bin', 'sallyport.js'))
    writeFileSync(join(folder, 'bin', 'package.json'), '{ "type": "commonjs" }')
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'sallyport', type: 'module', engines: { node: '>=24.15' } }))
    mkdirSync(join(folder, 'gateway', 'cli'), { recursive: true })
    writeFileSync(join(folder, 'gateway', 'cli', 'main.ts'), 'console.log("source", ...process.argv.slice(2) as string[])')
  })
  afterEach(() => { rmSync(folder, { recursive: true }) })
  const run = (node: string, args: string[] = []): { status: number | null; signal: string | null; stdout: string; stderr: string } =>
    spawnSync(node, [join(folder, 'bin', 'sallyport.js'), ...args], { encoding: 'utf8', env: { PATH: '/usr/bin:/bin' } })
  const bundle = (script: string): void => {
    const name = `node-${process.platform === 'darwin' ? 'bin-' : ''}${process.platform}-${process.arch}`
    const node = join(folder, 'node_modules', name, 'bin', 'node')
    mkdirSync(join(node, '..'), { recursive: true })
    writeFileSync(node, `#!/bin/sh\n${script}\n`)
    chmodSync(node, 0o755)
  }

  test('a Node that is new enough runs the sources, arguments and all', () => {
    assert.equal(run(process.execPath, ['audit', 'a b']).stdout, 'source audit a b\n')
  })

  test('what was built is preferred to the sources', () => {
    mkdirSync(join(folder, 'dist', 'gateway', 'cli'), { recursive: true })
    writeFileSync(join(folder, 'dist', 'gateway', 'cli', 'main.js'), 'console.log("built")')
    assert.equal(run(process.execPath).stdout, 'built\n')
  })

  test('it is written in syntax that an old Node parses', () => {
    assert.doesNotMatch(readFileSync(LAUNCHER, 'utf8').replaceAll(/\/\/.*|\/\*[\s\S]*?\*\//g, ''), /=>|\b(const|let|class|async|await)\b|`|\?\.|\?\?/)
  })

  test('an old Node hands over to the bundled one, with arguments and exit status', { skip }, () => {
    bundle('shift; echo "bundled $*"; exit 7')
    const { status, stdout } = run(OLD ?? '', ['audit', '--json'])
    assert.deepEqual([status, stdout], [7, 'bundled audit --json\n'])
  })

  test('a signal that ends the bundled Node ends the launcher', { skip }, () => {
    bundle('kill -TERM $$')
    assert.equal(run(OLD ?? '').signal, 'SIGTERM')
  })

  test('an old Node alone says what to do', { skip }, () => {
    const { status, stderr } = run(OLD ?? '')
    assert.equal(status, 69)
    assert.match(stderr, /needs Node 24\.15 or newer; this is v\d+.*\nInstall the optional dependencies/)
  })
})
