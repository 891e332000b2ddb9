/**
 * Choices that a key and a value determine: the same for equal values, and worth nothing to who has not the key.
 *
 * HMAC-SHA-256 (RFC 2104) of the value is the seed of a small generator (sfc32, C. Doty-Humphrey's PractRand). The generator is no
 * cipher and need not be: whoever ran it backwards would find the HMAC of the value, which tells nothing of the value.
 */
import type { KeyedDigest } from './keyed-digest.ts'

const TWO_32 = 0x1_0000_0000
/** Rounds after which every bit of the seed has touched every bit of the state. */
const WARM_UP = 12

export class Keystream {
  #a: number
  #b: number
  #c: number
  #counter: number

  constructor(digest: KeyedDigest, value: Buffer, start = 0, end = value.length) {
    const seed = digest(value, start, end, 'latin1')
    this.#a = wordOf(seed, 0)
    this.#b = wordOf(seed, 4)
    this.#c = wordOf(seed, 8)
    this.#counter = wordOf(seed, 12)
    for (let round = 0; round < WARM_UP; round++) this.#next()
  }

  /** A whole number from 0, smaller than `limit`, which is at most 2^32. */
  below(limit: number): number {
    return Math.floor(this.#next() / TWO_32 * limit)
  }

  #next(): number {
    const sum = (this.#a + this.#b | 0) + this.#counter | 0
    this.#counter = this.#counter + 1 | 0
    this.#a = this.#b ^ this.#b >>> 9
    this.#b = this.#c + (this.#c << 3) | 0
    this.#c = (this.#c << 21 | this.#c >>> 11) + sum | 0
    return sum >>> 0
  }
}

function wordOf(seed: string, at: number): number {
  return seed.charCodeAt(at) << 24 | seed.charCodeAt(at + 1) << 16 | seed.charCodeAt(at + 2) << 8 | seed.charCodeAt(at + 3)
}
