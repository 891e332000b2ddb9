import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parse } from 'pg-protocol'
import { Readable } from 'node:stream'
import {
  encodeAuthenticationCleartextPassword, encodeAuthenticationMd5Password, encodeAuthenticationOk, encodeAuthenticationSasl, encodeAuthenticationSaslContinue,
  encodeAuthenticationSaslFinal, encodeBackendKeyData, encodeParameterStatus, encodeReadyForQuery,
} from '../../../../adapters/postgresql/startup/backend-messages.ts'
import { encodeError, encodeNotice, parseErrorFields } from '../../../../adapters/postgresql/startup/error-fields.ts'

/** The messages as node-postgres reads them. */
async function read(bytes: Buffer): Promise<Record<string, unknown>[]> {
  const messages: Record<string, unknown>[] = []
  await parse(Readable.from([bytes]), (message) => messages.push(message as unknown as Record<string, unknown>))
  return messages
}

const ALL = {
  severityText: 'FEHLER', severity: 'ERROR', code: '42501', message: 'permission denied', detail: 'd', hint: 'h', position: '7', internalPosition: '8', internalQuery: 'q',
  where: 'w', schema: 's', table: 't', column: 'c', dataType: 'y', constraint: 'n', file: 'f.c', line: '12', routine: 'r',
}

describe('errors and notices', () => {
  test('are read by node-postgres as they were meant', async () => {
    const [error, notice] = await read(Buffer.concat([encodeError(ALL), encodeNotice({ severity: 'NOTICE', code: '00000', message: 'held' })]))
    const { severity, code, message, detail, hint, position, where, schema, table, column, dataType, constraint, file, line, routine } = error ?? {}
    assert.deepEqual({ ...ALL, severity, code, message, detail, hint, position, where, schema, table, column, dataType, constraint, file, line, routine }, { ...ALL, severity: 'FEHLER' })
    assert.equal(notice?.['name'], 'notice')
    assert.equal(notice?.['severity'], 'NOTICE')
  })

  test('come back from a parse unchanged', () => {
    assert.deepEqual(parseErrorFields(encodeError(ALL), 5), ALL)
    const latin = Buffer.from('SERROR\0VERROR\0C22000\0M\xe4\xf6\xfc\0\0', 'latin1')
    const fields = parseErrorFields(latin, 0, latin.length, 'latin1')
    assert.deepEqual(encodeError({ severity: '', code: '', message: '', ...fields }, 'latin1').subarray(5), latin)
  })

  test('cannot be cut short by a NUL in a text', () => {
    const fields = parseErrorFields(encodeError({ severity: 'ERROR', code: '42501', message: 'a\0Cb' }), 5)
    assert.equal(fields.message, 'aCb')
    assert.equal(fields.code, '42501')
  })

  test('with fields that nobody knows are read without them', () => {
    assert.deepEqual(parseErrorFields(Buffer.from('M1\0Znew\0C2\0\0')), { message: '1', code: '2' })
  })

  test('that do not end where they should are refused', () => {
    for (const text of ['', 'M1', 'M1\0', 'M1\0\0x', '\0\0', 'M']) {
      assert.throws(() => parseErrorFields(Buffer.from(text)), { code: 'PROTOCOL_VIOLATION' }, JSON.stringify(text))
    }
    const inside = Buffer.from('M1\0C2\0\0')
    assert.throws(() => parseErrorFields(inside, 0, 5), { code: 'PROTOCOL_VIOLATION' })
  })
})

test('what a server says before the first query is read by node-postgres as it was meant', async () => {
  const messages = await read(Buffer.concat([
    encodeAuthenticationOk(), encodeAuthenticationCleartextPassword(), encodeAuthenticationMd5Password(Buffer.from('salt')), encodeAuthenticationSasl(['A', 'B']),
    encodeAuthenticationSaslContinue('r=1'), encodeAuthenticationSaslFinal('v=2'), encodeParameterStatus('TimeZone', 'UTC'), encodeBackendKeyData(4711, Buffer.from([0, 0, 0, 9])), encodeReadyForQuery('T'),
  ]))
  assert.deepEqual(messages.map(({ name }) => name), [
    'authenticationOk', 'authenticationCleartextPassword', 'authenticationMD5Password', 'authenticationSASL', 'authenticationSASLContinue', 'authenticationSASLFinal', 'parameterStatus', 'backendKeyData', 'readyForQuery',
  ])
  assert.equal(String(messages[2]?.['salt']), 'salt')
  assert.deepEqual(messages[3]?.['mechanisms'], ['A', 'B'])
  assert.equal(messages[4]?.['data'], 'r=1')
  assert.equal(messages[6]?.['parameterValue'], 'UTC')
  assert.deepEqual([messages[7]?.['processID'], messages[7]?.['secretKey']], [4711, 9])
  assert.equal(messages[8]?.['status'], 'T')
})
