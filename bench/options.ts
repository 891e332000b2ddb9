import { tmpdir } from 'node:os'
import { parseArgs } from 'node:util'

export const SECTIONS = ['select', 'tpcb', 'bulk', 'connect', 'memory', 'store', 'rules', 'analysis', 'mask'] as const
export type SectionName = (typeof SECTIONS)[number]

export interface BenchOptions {
  readonly quick: boolean
  readonly sections: readonly SectionName[]
  /** Length of one measurement. */
  readonly seconds: number
  /** Measurements of each contender in each case. */
  readonly rounds: number
  /** Where everything temporary is made: on a real disk, for the event store is there too. */
  readonly folder: string
  /** Where the JSON goes; absent: bench/results/, under the time of the run. */
  readonly out: string | undefined
}

export const USAGE = `npm run bench -- [options]

  --quick            short rounds, fewer cases: whether it works, not how fast
  --only SECTION     ${SECTIONS.join(', ')}; may be repeated
  --seconds N        length of one measurement (5; quick: 1)
  --rounds N         measurements of each contender in each case (5; quick: 2)
  --folder DIR       for temporary files; on a real disk (${tmpdir()})
  --out FILE.json    (bench/results/TIME.json)
`

const MAX_SECONDS = 600
const MAX_ROUNDS = 100

/** Throws `TypeError` with what is wrong. */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false }, only: { type: 'string', multiple: true }, seconds: { type: 'string' }, rounds: { type: 'string' },
      folder: { type: 'string', default: tmpdir() }, out: { type: 'string' },
    },
  })
  const { quick, folder, out } = values
  return {
    quick, folder, out, sections: sectionsOf(values.only),
    seconds: whole('--seconds', values.seconds ?? (quick ? '1' : '5'), MAX_SECONDS),
    rounds: whole('--rounds', values.rounds ?? (quick ? '2' : '5'), MAX_ROUNDS),
  }
}

function sectionsOf(only: readonly string[] | undefined): readonly SectionName[] {
  if (only === undefined) return SECTIONS
  const wanted = only.flatMap((each) => each.split(','))
  const unknown = wanted.find((name) => !SECTIONS.includes(name as SectionName))
  if (unknown !== undefined) throw new TypeError(`--only ${unknown}: write one of ${SECTIONS.join(', ')}`)
  return SECTIONS.filter((name) => wanted.includes(name))
}

function whole(option: string, written: string, max: number): number {
  const value = Number(written)
  if (!Number.isInteger(value) || value < 1 || value > max) throw new TypeError(`${option} ${written}: write a whole number from 1 to ${max}`)
  return value
}
