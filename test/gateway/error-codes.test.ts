import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

test('docs/errors.md lists exactly the codes there are, each with its meaning and what to do', () => {
  const union = /export type ErrorCode =([\s\S]*?)\n\n/.exec(read('core/errors.ts'))?.[1] ?? ''
  const codes = [...union.matchAll(/'([A-Z_]+)'/g)].map(([, code]) => code)
  const rows = [...read('docs/errors.md').matchAll(/^\| `([A-Z_]+)` \| ([^|]+) \| ([^|]+) \|$/gm)]
  assert.ok(codes.length >= 15, 'the codes were not found in core/errors.ts')
  assert.deepEqual(new Set(rows.map(([, code]) => code)), new Set(codes))
  assert.equal(rows.length, codes.length)
  for (const [, code, meaning, remedy] of rows) assert.ok((meaning ?? '').trim().length > 20 && (remedy ?? '').trim().length > 20, `${code} says too little`)
})
