/** What the gateway looks for in answers beside the built-in entities. */
import { z } from 'zod'
import { createDetector, ENTITIES } from '../../adapters/shared/detection/index.ts'
import { section } from './section.ts'
import { text } from './values.ts'

const NAME_WANTED = `write a name in small letters, digits and "-", none of ${ENTITIES.join(', ')}`
const CONFIDENCE_WANTED = 'write a number from 0 to 1'
const CONTEXT_WANTED = 'write a list of words, of letters only: [employee, badge]'

const pattern = section({
  pattern: text,
  confidence: z.number({ error: CONFIDENCE_WANTED }).min(0, { error: CONFIDENCE_WANTED }).max(1, { error: CONFIDENCE_WANTED }).default(0.9),
  literal: text.optional(),
  context: z.array(z.string().regex(/^\p{L}{2,24}$/u, { error: CONTEXT_WANTED }), { error: CONTEXT_WANTED }).optional(),
})

/** Entity → its pattern. */
const patterns = z.record(
  z.string().regex(/^[a-z][a-z0-9-]{0,62}$/).refine((name) => !ENTITIES.some((known) => known === name)),
  pattern,
  { error: (issue) => (issue.code === 'invalid_key' ? NAME_WANTED : undefined) },
).superRefine((named, context) => {
  for (const [name, { pattern: written }] of Object.entries(named)) {
    try {
      createDetector({ entities: [], patterns: [{ name, pattern: written }] })
    } catch (error) {
      context.addIssue({ code: 'custom', path: [name, 'pattern'], message: error instanceof Error ? error.message : String(error) })
    }
  }
  if (Object.keys(named).length > 100) context.addIssue({ code: 'custom', message: 'write at most 100 patterns' })
})

export const detection = section({ patterns: patterns.default({}) })
