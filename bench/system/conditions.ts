import { closeSync, fdatasyncSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { execFileSync } from 'node:child_process'
import { findProgram, versionOf } from '../against/programs.ts'
import type { Target } from '../against/target.ts'
import { VERSION } from '../../gateway/package-root.ts'
import { median, rounded } from './statistics.ts'

/** Under what the figures came about. */
export interface Conditions {
  readonly cores: number
  readonly cpu: string
  readonly memoryBytes: number
  readonly kernel: string
  readonly node: string
  readonly sallyport: string
  /** Of the source, when it is a git checkout. */
  readonly commit: string
  /** First line of what each installed program says. */
  readonly versions: Readonly<Record<string, string>>
  /** What the target runs with; absent when no section needed one. */
  readonly target?: { readonly major: number; readonly settings: Readonly<Record<string, string>> }
  /** Median of a 4 KiB append with fdatasync where the event store is: the least that a commit can cost. */
  readonly fdatasyncMs: number
  readonly loadBefore: readonly number[]
  readonly loadAfter?: readonly number[]
}

const PROGRAMS = { pgbench: '--version', pgbouncer: '--version', haproxy: '-v', postgres: '--version' }
/** Source: statfs(2). */
const TMPFS = 0x01021994
const RAMFS = 0x858458f6
const SYNCS = 50

export function conditionsAt(folder: string): Conditions {
  return {
    cores: availableParallelism(), cpu: cpus()[0]?.model ?? '', memoryBytes: totalmem(), kernel: release(), node: process.version, sallyport: VERSION, commit: commit(),
    versions: versions(), fdatasyncMs: fdatasyncMs(folder), loadBefore: loadavg(),
  }
}

export function withTarget(conditions: Conditions, target: Target | undefined): Conditions {
  return { ...conditions, loadAfter: loadavg(), ...(target === undefined ? {} : { target: { major: target.major, settings: target.settings } }) }
}

/** Throws where a commit would cost nothing. */
export function requireRealDisk(folder: string): void {
  const { type } = statfsSync(folder)
  if (type === TMPFS || type === RAMFS) throw new TypeError(`${folder} is in memory, where durability costs nothing; give --folder on a real disk`)
}

function versions(): Record<string, string> {
  const found: Record<string, string> = {}
  for (const [name, flag] of Object.entries(PROGRAMS)) {
    const program = findProgram(name)
    if (program !== undefined) found[name] = versionOf(program, flag)
  }
  return found
}

function commit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { cwd: import.meta.dirname, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return ''
  }
}

function fdatasyncMs(folder: string): number {
  const path = join(folder, 'fdatasync')
  const file = openSync(path, 'w')
  const block = Buffer.alloc(4096, 1)
  const waits = Array.from({ length: SYNCS }, () => {
    const began = performance.now()
    writeSync(file, block)
    fdatasyncSync(file)
    return performance.now() - began
  })
  closeSync(file)
  rmSync(path)
  return rounded(median(waits))
}
