import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ContentDetection } from '../../../../adapters/postgresql/detect/content-detection.ts'
import { createDetectingMask } from '../../../../adapters/postgresql/detect/detecting-mask.ts'
import type { CopyFormat } from '../../../../adapters/postgresql/mask/copy-format.ts'
import { createCopyMask, valueFormat, type CopyColumn, type CopyMask } from '../../../../adapters/postgresql/mask/copy-mask.ts'
import { OID } from '../../../../adapters/postgresql/mask/type-oids.ts'
import { copyFormat } from '../../../../adapters/postgresql/sql/copy-options.ts'
import { loadSqlParser, parse } from '../../../../adapters/postgresql/sql/load.ts'
import { encodeCopyData } from '../../../../adapters/postgresql/wire/backend.ts'

const OPTIONS = { key: Buffer.alloc(32, 7), clientEncoding: 'UTF8' }
const FIXED: CopyColumn = { method: 'fixed', type: OID.text, typmod: -1 }
const PARTIAL: CopyColumn = { method: 'partial', type: OID.text, typmod: -1 }
const HIDDEN: CopyColumn = { method: 'null', type: 0, typmod: -1, whole: true }

await loadSqlParser()

function format(options: string): CopyFormat {
  const parsed = parse(`copy t to stdout ${options}`)
  const [statement] = parsed.kind === 'parsed' ? parsed.statements : []
  assert.ok(statement !== undefined && 'CopyStmt' in statement.node, options)
  return copyFormat(statement.node.CopyStmt.options)
}

const DETECTION = new ContentDetection([{ entity: '*', method: 'fixed', confidence: 0.5 }], [])

/** Where `detecting` is said, columns without a mask are looked at. */
function make(options: string, columns: readonly (CopyColumn | undefined)[], detecting = false): CopyMask {
  const layout = format(options)
  const look = createDetectingMask({ name: '', type: OID.text, typmod: -1, format: valueFormat(layout) }, DETECTION, OPTIONS)
  assert.ok(look !== undefined)
  return createCopyMask(layout, columns, { ...OPTIONS, detecting: new Map(detecting ? columns.map((_, index) => [index, look]) : []) })
}

/** What a client reads from CopyData messages. */
function bodies(messages: Buffer): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at < messages.length;) {
    assert.equal(messages[at], 0x64)
    const end = at + 1 + messages.readInt32BE(at + 1)
    assert.ok(end <= messages.length)
    parts.push(messages.subarray(at + 5, end))
    at = end
  }
  return Buffer.concat(parts)
}

/** Hands each list of bodies over as messages in one piece, in memory that is used again. */
function through(mask: CopyMask, reads: readonly (readonly Buffer[])[]): Buffer {
  const out: Buffer[] = []
  for (const read of reads) {
    const messages = Buffer.concat([Buffer.from('before'), ...read.map(encodeCopyData), Buffer.from('behind')])
    const [start, end] = [6, messages.length - 6]
    out.push(Buffer.from(mask.apply(messages, start, end, true) ?? messages.subarray(start, end)))
    assert.equal(`${messages.toString('latin1', 0, start)} ${messages.toString('latin1', end)}`, 'before behind')
  }
  return bodies(Buffer.concat([...out, mask.end()]))
}

/** The same, however the stream is cut into messages, and these into reads. */
function masked(options: string, columns: readonly (CopyColumn | undefined)[], stream: string | Buffer, detecting = false): string {
  const bytes = Buffer.from(stream)
  const results = new Set<string>()
  for (let cut = 0; cut <= bytes.length; cut++) {
    const [begin, end] = [bytes.subarray(0, cut), bytes.subarray(cut)]
    const tiny = Array.from(end, (byte) => Buffer.of(byte))
    for (const reads of [[[begin], [end]], [[begin, end]], [[begin, ...tiny]], [tiny.length === bytes.length ? tiny : [begin, ...tiny.slice(0, 3)], tiny.length === bytes.length ? [] : tiny.slice(3)]]) {
      results.add(through(make(options, columns, detecting), reads).toString('latin1'))
    }
  }
  const [only = ''] = results
  assert.equal(results.size, 1, 'the cut made a difference')
  return Buffer.from(only, 'latin1').toString()
}

describe('masked COPY rows', () => {
  it('hide a column of the text format and leave the others as they are', () => {
    assert.equal(masked('', [undefined, FIXED, undefined], '1\tada@example.com\t\\N\n2\t\\N\tx\\ty\\\\\n'), '1\t***\t\\N\n2\t\\N\tx\\ty\\\\\n')
  })

  it('do not take an escaped delimiter, tab or line feed for a real one', () => {
    assert.equal(masked(`(delimiter '|')`, [FIXED, undefined], 'a\\|b\\n\\\\|c\\|d\n'), '***|c\\|d\n')
    assert.equal(masked('', [undefined, FIXED], 'a\\\\\tb\\tc\n'), 'a\\\\\t***\n')
  })

  it('escape what a mask leaves of a value', () => {
    assert.equal(masked(`(delimiter '@')`, [PARTIAL], 'ada\\@example.com\n'), '***\\@example.com\n')
  })

  it('hide NULL, too, where the value was computed', () => {
    assert.equal(masked('', [HIDDEN, undefined], '\\N\t1\nvalue\t2\n'), '\\N\t1\n\\N\t2\n')
    assert.equal(masked('', [{ ...FIXED, whole: true }], '\\N\nvalue\n'), '***\n***\n')
  })

  it('do not let the choice of a NULL text tell which values are equal to it', () => {
    assert.equal(masked(`(null 'ada@example.com')`, [FIXED], 'ada@example.com\nbob@example.com\n'), '***\n***\n')
  })

  it('pass the header of text and CSV', () => {
    assert.equal(masked('(header)', [FIXED, undefined], 'e\tid\nx\t1\n'), 'e\tid\n***\t1\n')
    assert.equal(masked('csv header', [FIXED, undefined], '"e\nmail",id\nx,1\n'), '"e\nmail",id\n***,1\n')
  })

  it('follow quotes of CSV over delimiters, line feeds and quotes inside', () => {
    assert.equal(masked('csv', [undefined, FIXED, undefined], '"a,\n""b",x,"c"\n1,"SEC,""RET\nx",2\n'), '"a,\n""b",***,"c"\n1,***,2\n')
    assert.equal(masked(`csv quote '''' escape E'\\\\' delimiter ';'`, [FIXED, undefined], `'a\\'b;\\\\';x\n`), '***;x\n')
  })

  it('tell NULL from an empty value in CSV, and quote what needs it', () => {
    assert.equal(masked('csv', [FIXED, undefined], ',1\n"",2\n'), ',1\n***,2\n')
    assert.equal(masked('csv force quote *', [FIXED], 'x\n'), '"***"\n')
    assert.equal(masked(`csv delimiter '*'`, [FIXED, undefined], 'x*1\n'), '"***"*1\n')
    assert.equal(masked(`csv null '***'`, [FIXED], 'x\n***\n'), '"***"\n***\n')
  })

  it('hide values of the binary format', () => {
    const value = (text: string | null): Buffer => {
      const length = Buffer.alloc(4)
      length.writeInt32BE(text === null ? -1 : Buffer.byteLength(text))
      return Buffer.concat([length, Buffer.from(text ?? '')])
    }
    const head = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)])
    const row = (...texts: (string | null)[]): Buffer => Buffer.concat([Buffer.from([0, texts.length]), ...texts.map(value)])
    const end = Buffer.from([0xff, 0xff])
    const mask = (stream: Buffer): string => masked('binary', [undefined, FIXED, HIDDEN], stream)
    assert.equal(mask(Buffer.concat([head, row('1', 'secret', 'x'), row('2', null, null), end])), Buffer.concat([head, row('1', '***', null), row('2', null, null), end]).toString())
    const take = (stream: Buffer): CopyMask => {
      const taking = make('binary', [undefined, FIXED, HIDDEN])
      through(taking, [[stream]])
      return taking
    }
    assert.equal(take(Buffer.concat([head, row('1', 'secret', 'x'), end])).values, 2)
    const wrong = [Buffer.concat([head, row('1', 'secret')]), Buffer.concat([Buffer.alloc(19), row('1', 'a', 'b')]), Buffer.concat([head, row('1', 'a', 'b'), end, row('1', 'a', 'b')]), Buffer.concat([head, Buffer.from([0, 3, 0xff, 0, 0, 0])]), Buffer.concat([head, row('1', 'a', 'b').subarray(0, 9)])]
    for (const stream of wrong) assert.throws(() => take(stream), /cannot be masked/)
  })

  it('hold what detection finds masked, and everything else byte for byte', () => {
    const look = (options: string, stream: string): string => masked(options, [undefined, FIXED, undefined], stream, true)
    assert.equal(look('', 'to ada@example.com\tx\t\\N\n\\t\\\\ \\b\tx\ta\\tada@example.com\\n\n\\N\t\\N\t\n'), 'to ***\t***\t\\N\n\\t\\\\ \\b\t***\ta\\t***\\n\n\\N\t\\N\t\n')
    assert.equal(look(`(delimiter '@')`, 'ada\\@example.com@x@1\n'), '***@***@1\n')
    assert.equal(look(`(null 'ada@example.com')`, 'ada@example.com\tx\t1\n'), '***\t***\t1\n')
    assert.equal(look('csv', '"a, ""b"" ada@example.com",x,"needless"\n,,""\n'), '"a, ""b"" ***",***,"needless"\n,,""\n')
    assert.equal(look('csv force quote *', '"ada@example.com","x","1"\n'), '"***","***","1"\n')
    assert.equal(look('(format csv, force_quote (a))', '"q",x,y\n'), '"q","***",y\n')
    const mask = make('csv', [undefined, FIXED, undefined], true)
    through(mask, [[Buffer.from('a,b,c\nada@example.com,,c\n')]])
    assert.deepEqual([mask.values, [...mask.detected]], [2, [0]])
  })

  it('come out of many messages as they come out of each', () => {
    const rows = Array.from({ length: 300 }, (_, n) => Buffer.from(`${n}\t${'x'.repeat(n)}\t${n % 7 === 0 ? 'ada@example.com' : 'y'}\n`))
    for (const column of [FIXED, PARTIAL]) {
      const one = make('', [undefined, column, undefined], true)
      const expected = Buffer.concat(rows.map((row) => through(one, [[row]])))
      assert.deepEqual(through(make('', [undefined, column, undefined], true), [rows.slice(0, 90), rows.slice(90)]), expected)
    }
  })

  it('refuse rows that do not have the columns that were announced, and rows that are cut off', () => {
    for (const [options, stream] of [['', 'a\tb\tc\n'], ['', 'a\n'], ['csv', 'a,b,c\n'], ['csv', '"a,b"\n']] as const) {
      assert.throws(() => through(make(options, [FIXED, undefined]), [[Buffer.from(stream)]]), /cannot be masked/, stream)
    }
    const mask = make('', [FIXED, undefined])
    const message = encodeCopyData(Buffer.from('a\tb'))
    assert.equal(mask.apply(message, 0, message.length)?.length, 0)
    assert.throws(() => mask.end(), /cut off/)
  })

  it('are not read where an option is not understood', () => {
    for (const options of [`(encoding 'latin1')`, `(format 'json')`, `(delimiter 'é')`, '(nosuch)', `(header 'match')`, '(force_null (a))']) {
      assert.notEqual(format(options).problem, '', options)
    }
    for (const options of ['', 'csv header', 'binary', `(format csv, header false, delimiter ';', null 'x', quote '''', escape '\\', force_quote (a), encoding 'utf-8')`]) {
      assert.equal(format(options).problem, '', options)
    }
  })
})
