import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Impact } from '../../core/index.ts'
import { renderImpact } from '../../projections/index.ts'

const IMPACT: Impact = {
  summary: 'deletes 4 rows of public.orders, cascades to public.parcels',
  effects: [
    { resource: 'public.orders', change: 'delete', amount: 4, certainty: 'exact', through: '' },
    { resource: 'public.parcels', change: 'delete', amount: 12_000, certainty: 'estimate', through: 'ON DELETE CASCADE of parcels_order_fkey' },
    { resource: 'public.labels', change: 'update', certainty: 'unknown', through: 'ON DELETE SET NULL of labels_parcel_fkey' },
  ],
  notes: ['trigger watching on public.orders runs public.watch() AFTER DELETE'],
  unknown: ['what the triggers do is not followed'],
  plan: 'Nested Loop  (cost 9, about 4 rows)\n  Seq Scan on public.orders  (cost 8, about 4 rows)',
  sample: { resource: 'public.orders', columns: ['id', 'email'], rows: [['1', '***'], ['2', null]], masked: ['email'] },
  diff: {
    resource: 'public.orders', columns: ['id', 'status'], masked: [],
    rows: [{ before: ['1', 'new'], after: ['1', 'paid'] }, { before: ['2', 'new'], after: null }, { before: null, after: ['3', '\u001b[2J'] }, { before: ['4', '***'], after: ['4', '***'] }],
  },
}

test('an impact reads amounts and tables first, then what is not known, then the details', () => {
  assert.equal(renderImpact(IMPACT, 100), `CHANGE  ROWS     OF              THROUGH
delete  4        public.orders
delete  ≈ 12000  public.parcels  ON DELETE CASCADE of parcels_order_fkey
update  ?        public.labels   ON DELETE SET NULL of labels_parcel_fkey

not known:
  - what the triggers do is not followed

also:
  - trigger watching on public.orders runs public.watch() AFTER DELETE

what a trial run changed in public.orders, and undid:
  ~ id 1: status new → paid
  - id 2, status new
  + id 3, status \\x1b[2J
  ~ id 4: nothing that is shown

some of the rows of public.orders (hidden: email):
  id  email
  1   ***
  2   NULL

found by:
  Nested Loop (cost 9, about 4 rows)
    Seq Scan on public.orders (cost 8, about 4 rows)`)
})

test('an impact that is small says little', () => {
  assert.equal(renderImpact({ summary: '', effects: [{ resource: 'a.b', change: 'insert', amount: 3, certainty: 'at-most', through: '' }], notes: [], unknown: [] }), 'CHANGE  ROWS       OF\ninsert  at most 3  a.b')
})
