/**
 * Content detection in one thread: `mayContain` on bytes and `find` on text, for ordinary text and for what costs most.
 *
 *     node bench/micro/detection.ts [--json]
 *
 * Figures are megabytes (10^6 bytes of UTF-8) per second of CPU time, the best of several rounds: what disturbs a round
 * only makes it slower.
 */
import { createDetector } from '../../adapters/shared/detection/index.ts'

const TEXT_CHARS = 200_000
const ROUNDS = 5
const ROUND_MS = 60

const PROSE = 'The quick brown fox jumps over the lazy dog, and nobody minds; on the 3rd of May it rained. '
const CSV = '1042,lamp,39.90,shipped,2024-11-21 10:30:00+00,Reading lamp with a shade of brass\n'
const JSON_LINES = '{"id":1042,"status":"shipped","items":[{"sku":"lamp-7","quantity":2,"price":39.9}],"note":"leave at the door"}\n'
const LOG = '2024-11-21T10:30:00.123Z INFO worker-3 job 81231 done in 12.5 ms (queue=default, retries=0)\n'
const PEOPLE = '7,Ada Marsh,ada.marsh@example.com,+44 20 7946 0018,1984-03-07,4111 1111 1111 1111,203.0.113.9\n'

/** What each scanner has to look at longest, found by the tests' hostile texts. */
const CASES: readonly (readonly [name: string, piece: string])[] = [
  ['prose', PROSE], ['CSV', CSV], ['JSON', JSON_LINES], ['log', LOG], ['people: every line has four findings', PEOPLE],
  ['worst: groups of one digit', '4 '], ['worst: groups of four digits', '4111 '], ['worst: token headers that do not decode', 'eyJ.'],
  ['worst: dots and @', 'a.a@a.a'], ['worst: begun private keys', '-----BEGIN PRIVATE KEY-----'], ['worst: begun IBANs', 'DE89 '],
]

interface Measurement { name: string; prefilter: number; find: number; findings: number; passed: boolean }

/** CPU milliseconds of one call. */
function cost(run: () => void): number {
  let best = Infinity
  for (let round = 0; round < ROUNDS; round++) {
    const begin = process.cpuUsage()
    let calls = 0
    const until = performance.now() + ROUND_MS
    do {
      run()
      calls++
    } while (performance.now() < until)
    best = Math.min(best, process.cpuUsage(begin).user / 1000 / calls)
  }
  return best
}

function measure([name, piece]: readonly [string, string]): Measurement {
  const detector = createDetector()
  const text = piece.repeat(Math.ceil(TEXT_CHARS / piece.length))
  const bytes = Buffer.from(text)
  // By line, as values come, so that the prefilter has to begin anew and cannot stop at the first suspicion of all.
  const line = Buffer.from(piece)
  const lines = Math.ceil(TEXT_CHARS / piece.length)
  const prefilter = cost(() => { for (let count = 0; count < lines; count++) detector.mayContain(line) })
  const find = cost(() => { detector.find(text) })
  const rate = (milliseconds: number): number => Number((bytes.length / 1000 / milliseconds).toFixed(1))
  return { name, prefilter: rate(prefilter), find: rate(find), findings: detector.find(text).length, passed: !detector.mayContain(line) }
}

const results = CASES.map(measure)
if (process.argv.includes('--json')) console.log(JSON.stringify(results, undefined, 2))
else console.table(results)
