import type { Writable } from 'node:stream'
import { styleText } from 'node:util'
import { runnableLine } from './shell.ts'
import { WIDTH } from './width.ts'

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

/** Prints for people: folded to `WIDTH` columns, coloured only where a terminal is and NO_COLOR is not set. */
export class Screen {
  readonly #stream: Writable

  constructor(stream: Writable) {
    this.#stream = stream
  }

  /** Prints text, each line `indent` columns in; what does not fit goes on below, two columns further. */
  print(text = '', indent = 0, ...styles: readonly Style[]): void {
    const margin = ' '.repeat(indent)
    for (const line of text.split('\n').flatMap((each) => folded(each.trimEnd(), WIDTH - indent))) {
      this.#stream.write(line === '' ? '\n' : `${margin}${this.style(line, ...styles)}\n`)
    }
  }

  /** A line that is to be copied: never folded. */
  verbatim(line: string, indent = 0): void {
    this.#stream.write(`${' '.repeat(indent)}${line}\n`)
  }

  /** `npx sallyport ARGS`, about to be run. */
  command(args: readonly string[], indent: number): void {
    for (const [index, line] of runnableLine(args, WIDTH - indent - 2).entries()) this.verbatim(this.style(`${index === 0 ? '$ ' : '  '}${line}`, 'dim'), indent)
  }

  style(text: string, ...styles: readonly Style[]): string {
    return styles.length === 0 ? text : styleText([...styles], text, { stream: this.#stream })
  }
}

/** Breaks at spaces; a word that is longer than a line is left whole, so that it can be copied. */
export function folded(line: string, width: number): string[] {
  if (line.length <= width) return [line]
  const at = line.lastIndexOf(' ', width)
  const margin = /^ */.exec(line)?.[0].length ?? 0
  if (at <= margin) return [line]
  return [line.slice(0, at).trimEnd(), ...folded(`${' '.repeat(margin + (margin === 0 ? 2 : 0))}${line.slice(at + 1).trimStart()}`, width)]
}
