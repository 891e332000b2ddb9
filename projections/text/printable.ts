/**
 * Text that somebody else wrote, made safe to print: what moves a cursor, changes colours, reverses the direction of
 * writing or hides itself becomes a visible escape. Lines and tabs stay if asked for.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu
const UNSAFE_ON_ONE_LINE = /[\t\n\v\f\r\u0085\u2028\u2029 ]+/g

export function printable(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(UNSAFE, (character) => (character === '\n' || character === '\t' ? character : escaped(character)))
}

/** The same on one line: white space, line ends included, becomes one space. */
export function printableLine(text: string): string {
  return text.replace(UNSAFE_ON_ONE_LINE, ' ').trim().replace(UNSAFE, escaped)
}

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
}

/** At most `width` columns, the last of them `…` when something is missing. */
export function cut(text: string, width: number): string {
  if (text.length <= width && columns(text) <= width) return text
  let used = 0
  let kept = ''
  for (const character of text) {
    const wide = columnsOf(character)
    if (used + wide > width - 1) break
    used += wide
    kept += character
  }
  return `${kept}…`
}

export function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - columns(text)))
}

export function columns(text: string): number {
  let sum = 0
  for (const character of text) sum += columnsOf(character)
  return sum
}

const WIDE = /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Extended_Pictographic}/u
/** A terminal's columns: two for East Asian wide characters and pictures, none for what combines with the one before. */
function columnsOf(character: string): number {
  if (character < '\u0300') return 1
  if (/\p{Mark}/u.test(character)) return 0
  return WIDE.test(character) ? 2 : 1
}
