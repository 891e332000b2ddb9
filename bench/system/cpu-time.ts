import { readFileSync } from 'node:fs'

/** USER_HZ, which the kernel keeps at 100 for user space whatever its own tick is. */
const TICKS_PER_SECOND = 100

/** CPU time that a process and its threads have used, in seconds; `undefined` where there is no /proc. Source: proc_pid_stat(5). */
export function cpuSeconds(pid: number | undefined): number | undefined {
  const fields = statusFields(pid, 'stat')?.replace(/^.*\) /s, '').split(' ')
  if (fields === undefined) return undefined
  // After `pid (comm) `, the state is field 3; utime and stime are 14 and 15.
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

/** Resident memory of a process in bytes; `undefined` where there is no /proc. */
export function residentBytes(pid: number | undefined): number | undefined {
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(statusFields(pid, 'status') ?? '') ?? []
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024
}

function statusFields(pid: number | undefined, file: string): string | undefined {
  if (pid === undefined) return undefined
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return undefined
  }
}
