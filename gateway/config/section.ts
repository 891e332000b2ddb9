import { z } from 'zod'
import { didYouMean } from './did-you-mean.ts'

type Camel<S> = S extends `${infer Head}-${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : S
type CamelKeys<T> = { [K in keyof T as Camel<K>]: T[K] }

/**
 * An object in the configuration file: its keys are written in kebab-case there and are camelCase here.
 * A key that is not known is a problem of its own, one line of the message for each.
 */
export function section<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return plainSection(shape).transform((value) => camelKeys(value))
}

/** A `section` before its keys are renamed, for discriminated unions, which need to see the keys. */
export function plainSection<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const known = Object.keys(shape)
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(key, known)).join('\n')
      if (issue.code === 'invalid_type') return `expected a section with ${list(known)}`
      return undefined
    },
  })
}

export function camelKeys<T extends object>(value: T): CamelKeys<T> {
  const renamed = Object.entries(value).map(([key, inner]) => [camel(key), inner])
  return Object.fromEntries(renamed) as CamelKeys<T>
}

function camel(key: string): string {
  return key.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

function unknownKey(key: string, known: readonly string[]): string {
  const near = didYouMean(key, known)
  return near === undefined
    ? `unknown key "${key}"; write one of ${list(known)}`
    : `unknown key "${key}"; did you mean "${near}"?`
}

/** `a, b or c` */
export function list(words: readonly string[]): string {
  if (words.length < 2) return words.join('')
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}`
}
