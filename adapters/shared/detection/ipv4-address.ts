import { classOf, isDigit, isWord, LETTER } from './characters.ts'
import { contextOf, vocabulary, weigh, ANY_IDENTIFIER } from './context.ts'
import type { Finding } from './finding.ts'
import { DOT, type NumberRun } from './number-run.ts'

const WORDS = vocabulary(
  'ip ips ipv ipaddr ipaddress addr address addresses host hosts client server remote peer from source src dest dst inet inet4 dns gateway router subnet cidr network netmask ping ssh curl listen bind origin forwarded login logged connect connected connection nameserver',
  `${ANY_IDENTIFIER} v ver release section chapter clause figure firmware driver assembly fileversion upgrade upgraded upgrading update updated oid appendix step rev rc chrome firefox safari edge opr webkit`,
)
const FAMOUS = new Set(['8.8.8.8', '8.8.4.4', '1.1.1.1', '1.0.0.1', '9.9.9.9', '4.4.4.4', '4.2.2.2'])

/** Four octets, dotted; with its `/24` if there is one. Not: versions, section numbers, object identifiers. */
export function findIpv4(run: NumberRun, hint: string): Finding | undefined {
  if (run.count < 4 || run.prefix === 43 || !isDotted(run) || !isClean(run)) return undefined
  const { text } = run
  const start = run.starts[0] as number
  const end = endOfPrefix(text, run.end(3))
  const confidence = weigh(base(run), contextOf(text, start, hint, WORDS), 0.4, 0.6)
  return { entity: 'ip-address', start, end, confidence: isOfProduct(text, start) ? confidence - 0.5 : confidence }
}

function isDotted(run: NumberRun): boolean {
  for (let group = 0; group < 4; group++) {
    if (group > 0 && run.separator(group) !== DOT) return false
    const length = run.length(group)
    if (length > 3 || run.value(group) > 255) return false
    if (length > 1 && run.text.charCodeAt(run.starts[group] as number) === 48) return false
  }
  return true
}

/** No fifth part, no letter glued on; `10.0.0.1-10.0.0.9` is a range, `1.2.3.4-rc1` is not. */
function isClean(run: NumberRun): boolean {
  const { text } = run
  const before = text.charCodeAt((run.starts[0] as number) - 1)
  if (isWord(before) || before === DOT) return false
  if (before === 45 && (classOf(text.charCodeAt((run.starts[0] as number) - 2)) & LETTER) !== 0) return false
  const after = text.charCodeAt(run.end(3))
  const next = text.charCodeAt(run.end(3) + 1)
  if (isWord(after) || after === DOT && isDigit(next)) return false
  return !(after === 45 && (classOf(next) & LETTER) !== 0)
}

/** Small numbers are what versions and section numbers are made of. */
function base(run: NumberRun): number {
  const first = run.value(0)
  if (FAMOUS.has(run.text.slice(run.starts[0], run.end(3)))) return 0.8
  if (first === 0) return run.digits === 4 && run.value(1) + run.value(2) + run.value(3) === 0 ? 0.55 : 0.2
  if (first === 10 || first === 127 || first === 172 || first === 192) return 0.85
  let largest = 0
  for (let group = 0; group < 4; group++) largest = Math.max(largest, run.value(group))
  if (largest < 20) return 0.35
  return run.value(2) === 0 && run.value(3) === 0 ? 0.45 : 0.8
}

/** `Chrome/120.0.0.0`: a name and a slash; not `://`, and not `host.example/10.0.0.1`. */
function isOfProduct(text: string, start: number): boolean {
  if (text.charCodeAt(start - 1) !== 47) return false
  let at = start - 2
  const least = Math.max(0, start - 40)
  if ((classOf(text.charCodeAt(at)) & LETTER) === 0) return false
  while (at >= least && isWord(text.charCodeAt(at))) at--
  return text.charCodeAt(at) !== DOT && text.slice(at + 1, start - 1) !== 'localhost'
}

function endOfPrefix(text: string, end: number): number {
  if (text.charCodeAt(end) !== 47 || !isDigit(text.charCodeAt(end + 1))) return end
  const last = isDigit(text.charCodeAt(end + 2)) ? end + 3 : end + 2
  return isWord(text.charCodeAt(last)) || Number(text.slice(end + 1, last)) > 32 ? end : last
}
