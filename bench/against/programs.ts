import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { runnable } from '../../test/support/postgres-binaries.ts'

const POSTGRES_FOLDERS = '/usr/lib/postgresql'

/** The full path of an installed program, or `undefined`: on the PATH, where Debian puts daemons, where it puts PostgreSQL's own. */
export function findProgram(name: string): string | undefined {
  const folders = [...postgresFolders(), ...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  return folders.filter((folder) => folder !== '').map((folder) => join(folder, name)).find(runnable)
}

/** Newest first. */
function postgresFolders(): string[] {
  try {
    const majors = readdirSync(POSTGRES_FOLDERS).toSorted((a, b) => Number(b) - Number(a))
    return majors.map((major) => join(POSTGRES_FOLDERS, major, 'bin'))
  } catch {
    return []
  }
}

/** First line of what it says of its version; empty when it says nothing. */
export function versionOf(program: string, flag = '--version'): string {
  try {
    return execFileSync(program, [flag], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n')[0] ?? ''
  } catch {
    return ''
  }
}
