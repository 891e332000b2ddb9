/**
 * Another text of the same shape, in place: a digit for a digit, a letter for a letter of the same case and script, everything
 * else (spaces, punctuation, symbols) as it was. As many bytes, and in UTF-8 as many characters.
 *
 * A text without any letter or digit has nothing to shuffle: it is covered with `*`.
 *
 * What it is not: encryption. It cannot be undone, and two values may become the same one. The shape stays to be seen.
 */
import { fillBytes } from '../../shared/bytes.ts'
import type { KeyedDigest } from './keyed-digest.ts'
import { Keystream } from './keystream.ts'
import { type TextEncoding, utf8Length } from './text-encoding.ts'

const LETTERS = 26
const STAR = 0x2a
const LOWER_A = 0x61

/**
 * Shuffles `[start, end)`.
 * @returns where the text ends now: `end`, or earlier when bytes that were no characters of their own have become ones, and
 *   those are more than `mostCharacters`.
 */
export function shuffleText(bytes: Buffer, start: number, end: number, encoding: TextEncoding, digest: KeyedDigest, mostCharacters: number): number {
  const stream = new Keystream(digest, bytes, start, end)
  // What was shuffled to itself is shuffled again.
  const shuffle = chosen(bytes, start, end, encoding)
  let result: Shuffled
  do result = shuffle(bytes, start, end, stream)
  while (result === 'same')
  if (result === 'nothing') fillBytes(bytes, STAR, start, end)
  return result === 'done' || end - start <= mostCharacters ? end : cut(bytes, start, end, mostCharacters)
}

/** `same`: something could have changed and did not; `nothing`: nothing could. `malformed`: what was no character is now. */
type Shuffled = 'same' | 'nothing' | 'done' | 'malformed'

function outcome(shuffled: boolean, changed: boolean): Shuffled {
  return changed ? 'done' : shuffled ? 'same' : 'nothing'
}

type Shuffle = (bytes: Buffer, start: number, end: number, stream: Keystream) => Shuffled

function chosen(bytes: Buffer, start: number, end: number, encoding: TextEncoding): Shuffle {
  let high = false
  for (let i = start; i < end && !high; i++) high = (bytes[i] as number) >= 0x80
  if (!high) return shuffleAscii
  if (encoding === 'utf8') return shuffleUtf8
  return encoding === 'single-byte' ? shuffleBytes : coverWithLetters
}

function shuffleAscii(bytes: Buffer, start: number, end: number, stream: Keystream): Shuffled {
  let shuffled = false, changed = false
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number
    const other = shuffledAscii(byte, stream)
    if (other < 0) continue
    shuffled = true
    changed ||= other !== byte
    bytes[i] = other
  }
  return outcome(shuffled, changed)
}

/** -1 for what is neither letter nor digit. */
function shuffledAscii(byte: number, stream: Keystream): number {
  if (byte >= 0x61 && byte <= 0x7a) return 0x61 + stream.below(LETTERS)
  if (byte >= 0x30 && byte <= 0x39) return 0x30 + stream.below(10)
  if (byte >= 0x41 && byte <= 0x5a) return 0x41 + stream.below(LETTERS)
  return -1
}

/** What a byte above ASCII stands for differs from set to set, and some stand for nothing: they become letters that all have. */
function shuffleBytes(bytes: Buffer, start: number, end: number, stream: Keystream): Shuffled {
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number
    if (byte >= 0x80) bytes[i] = LOWER_A + stream.below(LETTERS)
    else shuffleAscii(bytes, i, i + 1, stream)
  }
  return 'done'
}

/** Where a byte of ASCII may be half a character, none can stay. */
function coverWithLetters(bytes: Buffer, start: number, end: number, stream: Keystream): Shuffled {
  for (let i = start; i < end; i++) bytes[i] = LOWER_A + stream.below(LETTERS)
  return 'malformed'
}

function shuffleUtf8(bytes: Buffer, start: number, end: number, stream: Keystream): Shuffled {
  let shuffled = false, changed = false, malformed = false
  for (let i = start; i < end;) {
    const length = utf8Length(bytes, i, end)
    const before = length === 0 ? -1 : codePointAt(bytes, i, length)
    const after = length === 0 ? LOWER_A + stream.below(LETTERS) : length === 1 ? shuffledAscii(before, stream) : shuffledCodePoint(before, length, stream)
    malformed ||= length === 0
    if (after >= 0) {
      shuffled = true
      changed ||= after !== before
      putCodePoint(bytes, i, after, length)
    }
    i += Math.max(1, length)
  }
  return malformed ? 'malformed' : outcome(shuffled, changed)
}

function codePointAt(bytes: Buffer, at: number, length: number): number {
  let value = (bytes[at] as number) & (length === 1 ? 0x7f : 0xff >> length + 1)
  for (let i = 1; i < length; i++) value = value << 6 | (bytes[at + i] as number) & 0x3f
  return value
}

const LEADS = [0, 0, 0xc0, 0xe0, 0xf0]

function putCodePoint(bytes: Buffer, at: number, value: number, length: number): void {
  if (length < 2) {
    bytes[at] = value
    return
  }
  for (let i = length - 1, rest = value; i >= 0; i--, rest >>= 6) bytes[at + i] = i === 0 ? (LEADS[length] as number) | rest : 0x80 | rest & 0x3f
}

/** Letters and digits among which a character is shuffled; each range holds characters of one length, and nothing but such. */
const ALPHABETS: readonly (readonly [first: number, last: number])[] = [
  [0x00c0, 0x00d6], [0x00e0, 0x00f6], [0x0391, 0x03a1], [0x03b1, 0x03c9], [0x0410, 0x042f], [0x0430, 0x044f],
  [0x0561, 0x0586], [0x05d0, 0x05ea], [0x0628, 0x063a], [0x0641, 0x064a], [0x0660, 0x0669], [0x06f0, 0x06f9],
  [0x0915, 0x0939], [0x0966, 0x096f], [0x09e6, 0x09ef], [0x0e01, 0x0e2e], [0x10d0, 0x10f0], [0x3041, 0x3096],
  [0x30a1, 0x30fa], [0x4e00, 0x9fa5], [0xac00, 0xd7a3], [0xff10, 0xff19], [0xff21, 0xff3a], [0xff41, 0xff5a],
  [0x1d7ce, 0x1d7ff], [0x20000, 0x2a6d6],
]
const KEPT = /[\p{P}\p{S}\p{Z}\p{Cc}\p{Cf}\ufe00-\ufe0f]/u

/** -1 for what is neither letter, digit nor mark. */
function shuffledCodePoint(value: number, length: number, stream: Keystream): number {
  const character = String.fromCodePoint(value)
  if (KEPT.test(character)) return -1
  const [first, last] = ALPHABETS.find(([from, to]) => value >= from && value <= to) ?? otherwise(character, length)
  return first + stream.below(last - first + 1)
}

/** For letters of other scripts, and for marks, which may be half of a letter. */
function otherwise(character: string, length: number): readonly [number, number] {
  if (length === 2) return /\p{Lu}/u.test(character) ? [0x00c0, 0x00d6] : [0x00e0, 0x00f6]
  return length === 3 ? [0x4e00, 0x9fa5] : [0x20000, 0x2a6d6]
}

/** Behind the character that is the last one allowed. All are whole by now. */
function cut(bytes: Buffer, start: number, end: number, characters: number): number {
  let at = start
  for (let count = 0; at < end && count < characters; count++) at += Math.max(1, utf8Length(bytes, at, end))
  return Math.min(at, end)
}
