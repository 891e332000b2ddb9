/** What is looked for, by the names that rules, data classes and reports use. */
export const ENTITIES = ['card-number', 'iban', 'us-ssn', 'email', 'phone', 'ip-address', 'jwt', 'private-key', 'cloud-key'] as const
export type Entity = (typeof ENTITIES)[number]

/** Something that looks like an entity. It was found, not proven: see docs/detection.md. */
export interface Finding {
  /** An `Entity`, or the name of an own pattern. */
  readonly entity: string
  /** UTF-16 units, `[start, end)`. */
  readonly start: number
  readonly end: number
  /** 0 to 1. */
  readonly confidence: number
}

export function isEntity(name: string): name is Entity {
  return (ENTITIES as readonly string[]).includes(name)
}
