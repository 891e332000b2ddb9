import { WIDTH } from './width.ts'

/** One word of a shell's command line, quoted where it has to be. */
export function word(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}

/** `npx sallyport ARGS` as lines that can be pasted as they are: what does not fit is continued with a backslash. */
export function runnableLine(args: readonly string[], width = WIDTH - 6): string[] {
  const lines = ['npx sallyport']
  for (const part of parts(args)) {
    const last = lines.at(-1) ?? ''
    if (last.length + 1 + part.length <= width) lines[lines.length - 1] = `${last} ${part}`
    else lines.push(`    ${part}`)
  }
  return lines.map((line, index) => (index < lines.length - 1 ? `${line} \\` : line))
}

/** An option stays with its value. */
function parts(args: readonly string[]): string[] {
  const found: string[] = []
  for (const arg of args) {
    const last = found.at(-1)
    if (last !== undefined && last.startsWith('-') && !last.includes(' ') && !arg.startsWith('-')) found[found.length - 1] = `${last} ${word(arg)}`
    else found.push(word(arg))
  }
  return found
}
