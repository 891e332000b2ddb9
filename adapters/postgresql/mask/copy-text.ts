/** The text format: fields between delimiters, special characters behind a backslash, `\N` for NULL. */
import type { ColumnMasks } from './column-masks.ts'
import type { CopyFormat } from './copy-format.ts'
import { CopyLines } from './copy-lines.ts'

const BACKSLASH = 0x5c
const CAPITAL_N = 0x4e
/** The letter behind a backslash → the character it stands for, and the other way round. */
const ESCAPES = new Map([[0x62, 0x08], [0x66, 0x0c], [0x6e, 0x0a], [0x72, 0x0d], [0x74, 0x09], [0x76, 0x0b]])
const LETTERS = new Map([...ESCAPES].map(([letter, character]) => [character, letter]))

export class TextCopy extends CopyLines {
  readonly #delimiter: number
  /**
   * A backslash cannot stand alone in a value: only then can no value look like NULL. Where one could (the client chose what NULL
   * looks like), both are masked alike: otherwise the client could ask which values are equal to its choice.
   */
  readonly #nullIsSure: boolean

  constructor({ delimiter, null: none, header }: CopyFormat, columns: ColumnMasks) {
    super({ header, delimiter, escape: BACKSLASH, null: none, special: [BACKSLASH, delimiter, ...ESCAPES.values()] }, columns)
    this.#delimiter = delimiter
    this.#nullIsSure = none === '\\N'
  }

  protected isNull(bytes: Buffer, start: number, end: number, marked: boolean): boolean {
    return marked && this.#nullIsSure && end - start === 2 && bytes[start] === BACKSLASH && bytes[start + 1] === CAPITAL_N
  }

  protected read(bytes: Buffer, start: number, end: number): Buffer {
    const out = Buffer.alloc(end - start)
    let length = 0
    for (let at = start; at < end; at++) {
      const byte = bytes[at] as number
      const next = byte === BACKSLASH && at + 1 < end ? bytes[++at] as number : undefined
      out[length++] = next === undefined ? byte : (ESCAPES.get(next) ?? next)
    }
    return out.subarray(0, length)
  }

  protected written(value: Buffer): Buffer {
    const out: number[] = []
    for (const byte of value) {
      const letter = LETTERS.get(byte)
      if (letter !== undefined) out.push(BACKSLASH, letter)
      else if (byte === BACKSLASH || byte === this.#delimiter) out.push(BACKSLASH, byte)
      else out.push(byte)
    }
    return Buffer.from(out)
  }
}
