import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Somewhere to write that is soon full. */
export interface SmallDisk {
  readonly folder: string
  makeRoom(): void
  dispose(): void
}

/** Either a disk, or why there is none. */
export type Offered = { readonly make: () => SmallDisk; readonly skip: false } | { readonly make?: never; readonly skip: string }

/** A file system in memory, most of it taken by one large file. Needs the right to mount. */
export function tmpfs(): Offered {
  const trial = mkdtempSync(join(tmpdir(), 'sallyport-disk-'))
  const works = run('mount', '-t', 'tmpfs', '-o', 'size=1m', 'none', trial) && run('umount', trial)
  rmSync(trial, { recursive: true })
  return works ? { make: mounted, skip: false } : { skip: 'this user may not mount a file system in memory' }
}

function mounted(): SmallDisk {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-disk-'))
  if (!run('mount', '-t', 'tmpfs', '-o', 'size=24m', 'none', folder)) throw new Error('cannot mount')
  const ballast = join(folder, 'ballast')
  writeFileSync(ballast, Buffer.alloc(21 * 1024 * 1024))
  return {
    folder,
    makeRoom: () => rmSync(ballast),
    dispose: () => {
      run('umount', folder)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The limit of this process on the size of one file (RLIMIT_FSIZE). */
export function fileSizeLimit(): Offered {
  const works = run('prlimit', '--pid', String(process.pid), '--fsize')
  return works ? { make: limited, skip: false } : { skip: 'there is no prlimit program to set a limit on file sizes' }
}

function limited(): SmallDisk {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-disk-'))
  const limit = (bytes: string): void => {
    if (!run('prlimit', '--pid', String(process.pid), `--fsize=${bytes}:`)) throw new Error('cannot set the limit')
  }
  limit(String(1024 * 1024))
  return {
    folder,
    makeRoom: () => limit('unlimited'),
    dispose: () => {
      limit('unlimited')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function run(program: string, ...args: string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0
}
