/**
 * Text that somebody else wrote, made safe for a terminal: whatever moves the cursor, changes colours or the direction of
 * writing, or hides itself becomes a visible escape, as psql writes them (`\r`, `\x1B`, `\u009B`). Line ends and tabs stay.
 * Source: PostgreSQL, src/fe_utils/mbprint.c, pg_wcsformat; Unicode general categories C, Zl and Zp.
 * C also takes in what has no meaning yet, or a private one.
 */
const UNSAFE = /[\p{C}\p{Zl}\p{Zp}]/gu

export function display(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(UNSAFE, escaped)
}

/** The same for what must stay on one line. */
export function displayLine(text: string): string {
  return display(text).replaceAll('\n', '\\n').replaceAll('\t', ' ')
}

function escaped(character: string): string {
  if (character === '\n' || character === '\t') return character
  if (character === '\r') return '\\r'
  const code = character.codePointAt(0) ?? 0
  const digits = code.toString(16).toUpperCase()
  return code < 0x80 ? `\\x${digits.padStart(2, '0')}` : code < 0x1_0000 ? `\\u${digits.padStart(4, '0')}` : `\\U${digits.padStart(8, '0')}`
}

/** Whether text has nothing that `display` would change, apart from line ends. */
export function isPrintable(text: string): boolean {
  return text.replace(/[\n\r\t]/g, '').search(UNSAFE) === -1
}

const WIDE = /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|[\u{20000}-\u{3fffd}]/u
const ASCII = /^[\x20-\x7e]*$/

/** Columns of a terminal: two for East Asian wide characters and pictures, none for what combines with the one before. */
export function widthOf(text: string): number {
  if (ASCII.test(text)) return text.length
  let width = 0
  for (const character of text) width += character < '\u0300' ? 1 : /\p{Mark}/u.test(character) ? 0 : WIDE.test(character) ? 2 : 1
  return width
}
