const BACKSLASH = 0x5c

/** Behind the closing quote of what opens at `at`, where a backslash takes its meaning from the character behind it; -1 when it does not close. */
export function endOfQuoted(text: string, at: number): number {
  for (let quote = text.indexOf('"', at + 1); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let before = quote
    while (text.charCodeAt(before - 1) === BACKSLASH && before - 1 > at) before--
    if ((quote - before) % 2 === 0) return quote + 1
  }
  return -1
}
