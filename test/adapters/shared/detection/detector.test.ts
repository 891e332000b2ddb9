import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { createDetector, ENTITIES, type Finding } from '../../../../adapters/shared/detection/index.ts'

const detector = createDetector()

/** `entity value` of each finding. */
function found(text: string, hint?: string, using = detector): string[] {
  return using.find(text, hint).map(({ entity, start, end }) => `${entity} ${text.slice(start, end)}`)
}

/** Each line: what it holds, and a text with it. */
function finds(...cases: readonly (readonly [text: string, ...expected: string[]])[]): void {
  for (const [text, ...expected] of cases) assert.deepEqual(found(text), expected, text)
}

const KEY = 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj'

describe('the detector', () => {
  test('finds card numbers in one piece and in groups, and leaves longer numbers alone', () => {
    finds(
      ['4111111111111111', 'card-number 4111111111111111'],
      ['visa 4111-1111-1111-1111 exp 12/27', 'card-number 4111-1111-1111-1111'],
      ['3782 822463 10005 123', 'card-number 3782 822463 10005'],
      ['4111 1111 1111 1111 12/27', 'card-number 4111 1111 1111 1111'],
      ['41111111111111111'], ['4111111111111112'], ['9111111111111111'], ['4111 1111 1111 1111 2222'], ['x4111111111111111'], ['4111111111111111.5'], ['0.4111111111111111'],
    )
  })

  test('finds what stands right behind a colon', () => {
    finds(
      ['{"card":4111111111111111,"n":2}', 'card-number 4111111111111111'],
      ['a:DE89370400440532013000;b:+442079460018', 'iban DE89370400440532013000', 'phone +442079460018'],
      ['at 12:30:45:123 from 2001:db8::7334:41, 1a:2b:3c:4d:5e:6f', 'ip-address 2001:db8::7334:41'],
    )
  })

  test('lets the words before a number speak for and against it', () => {
    finds(['order 4111111111111111'], ['card of order 4111111111111111'], ['order 55121 by card 4111111111111111', 'card-number 4111111111111111'])
    finds(['2025550142'], ['call 2025550142', 'phone 2025550142'], ['{"mobilePhone":"2025550142"}', 'phone 2025550142'], ['ticket 202-555-0142'])
    finds(['536909999'], ['SSN 536909999', 'us-ssn 536909999'])
  })

  test('takes the name of a column for a word before the value', () => {
    assert.deepEqual(found('2025550142', 'mobile_phone'), ['phone 2025550142'])
    assert.deepEqual(found('2025550142', 'orderId'), [])
    assert.deepEqual(found('wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', 'aws_secret_key'), ['cloud-key wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'])
    assert.deepEqual(found('wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'), [])
  })

  test('finds IBANs of the right length, structure and check digits', () => {
    finds(
      ['DE89 3704 0044 0532 0130 00', 'iban DE89 3704 0044 0532 0130 00'], ['GB82WEST12345698765432.', 'iban GB82WEST12345698765432'],
      ['NO9386011117947', 'iban NO9386011117947'], ['MT84MALT011000012345MTLCAST001S', 'iban MT84MALT011000012345MTLCAST001S'],
      ['DE88370400440532013000'], ['DE8937040044053201300'], ['GB82123412345698765432'], ['XDE89370400440532013000'], ['XX89370400440532013000'],
    )
  })

  test('finds US SSNs that can have been issued', () => {
    finds(['536-90-9999', 'us-ssn 536-90-9999'], ['(536-90-9999)', 'us-ssn 536-90-9999'], ['000-12-3456'], ['666-12-3456'], ['900-12-3456'], ['536-00-9999'], ['536-90-0000'], ['078-05-1120'], ['536-90-9999-1'], ['1-536-90-9999'])
  })

  test('finds e-mail addresses, and no code that looks like them', () => {
    finds(
      ['<ada.marsh+shop@mail.example.co.uk>,', 'email ada.marsh+shop@mail.example.co.uk'], ['?to=ada%40example.com&x', 'email ada%40example.com'], ['Ä.Öz@bücher.de', 'email Ä.Öz@bücher.de'],
      ["'o'brien@example.com'", "email o'brien@example.com"], ['git@github.com:a/b.git'], ['git@github.com:4a/b.git'], ['postgres://app:pw@db.example.com/shop'], ['https://key@sentry.example.com/1'],
      ['left-pad@1.3.0'], ['logo@2x.png'], ['user@1000.service'], ['@Override'], ['a@b'], ['a..b@'], ['.@example.com'], ['obj@foo.method()'],
    )
  })

  test('finds telephone numbers as many countries write them, and no dates', () => {
    for (const number of ['+44 20 7946 0018', '+44 (0)20 7946 0018', '(202) 555-0142', '202-555-0142', '202.555.0142', '1-202-555-0142', '+12025550142', '0049 30 123456', '030/1234567', '06 12 34 56 78', '090-1234-5678', '(11) 91234-5678', '+36 1 555 0142', '+234 1 555 0199']) {
      assert.deepEqual(found(number), [`phone ${number}`])
      assert.deepEqual(found(`say ${number}, please`), [`phone ${number}`])
    }
    finds(['2024-11-21 10:30:00'], ['21.11.2024 10 Uhr'], ['01 02 2024 1234567'], ['+1 111 555 0142'], ['978-3-16-148410-0'], ['52.520008, 13.404954'], ['20241121103000'], ['1732186800'], ['911-555-0142 of lot'])
  })

  test('finds IP addresses, and neither versions nor times nor names of classes', () => {
    finds(
      ['10.0.0.1:5432', 'ip-address 10.0.0.1'], ['http://203.0.113.9/x', 'ip-address 203.0.113.9'], ['net 192.168.0.0/16 is', 'ip-address 192.168.0.0/16'],
      ['[2001:db8::ff00:42:8329]:443', 'ip-address 2001:db8::ff00:42:8329'], ['fe80::1.', 'ip-address fe80::1'], ['::ffff:203.0.113.9', 'ip-address ::ffff:203.0.113.9'],
      ['v1.2.3.4'], ['version 120.45.67.89'], ['Chrome/120.0.6099.71'], ['1.3.6.1.4.1'], ['256.1.1.1'], ['010.1.1.1'], ['10.0.0.1-rc1'], ['12:30:45'], ['00:1a:2b:3c:4d:5e'], ['std::string'], ['dead::beef::1'], ['1:2:3:4:5:6:7'],
    )
  })

  test('finds tokens whose header decodes', () => {
    const token = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U'
    finds([`Bearer ${token}`, `jwt ${token}`], [`Read ${token}.`, `jwt ${token}`], ['eyJub3QiOiJhIGp3dCJ9.eyJzdWIiOiIxIn0.abc'], ['eyJhbGciOiJIUzI1NiJ9'])
  })

  test('finds private keys to their end, and not those who write about them', () => {
    const pem = `-----BEGIN RSA PRIVATE KEY-----\n${KEY}\n${KEY}\n-----END RSA PRIVATE KEY-----`
    const json = pem.replaceAll('\n', '\\n')
    const cut = pem.slice(0, 120)
    finds(
      [`x ${pem} y`, `private-key ${pem}`], [`{"k":"${json}"}`, `private-key ${json}`], [cut, `private-key ${cut}`], ['-----BEGIN OPENSSH PRIVATE KEY-----', 'private-key -----BEGIN OPENSSH PRIVATE KEY-----'],
      ["if (line === '-----BEGIN PRIVATE KEY-----') {"], [`-----BEGIN PUBLIC KEY-----\n${KEY}\n-----END PUBLIC KEY-----`],
    )
  })

  test('finds keys of clouds and services, and no placeholders', () => {
    finds(
      ['AKIAIOSFODNN7EXAMPLE', 'cloud-key AKIAIOSFODNN7EXAMPLE'], ['AKIAXXXXXXXXXXXXXXXX'], ['AKIAIOSFODNN7EXAMPLE1'], ['AKIAIOSFODNN0EXAMPLE'],
      ['aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', 'cloud-key wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'],
      ['AKIAIOSFODNN7EXAMPLE,wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', 'cloud-key AKIAIOSFODNN7EXAMPLE', 'cloud-key wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'],
      ['sk_live_xxxxxxxxxxxxxxxxxxxxxxxx'], ['pk_live_4eC39HqLyjWDarjtT1zdp7dc'],
    )
  })

  test('looks for what it is asked to, as sure as it is asked to be', () => {
    const text = 'ada@example.com, 10.0.0.1, 2025550142'
    assert.deepEqual(found(text, '', createDetector({ entities: ['ip-address'] })), ['ip-address 10.0.0.1'])
    assert.deepEqual(found(text, '', createDetector({ entities: [] })), [])
    assert.equal(createDetector({ minConfidence: 0.2 }).find(text).length, 3)
    assert.throws(() => createDetector({ entities: ['mail' as 'email'] }), { code: 'CONFIG_INVALID', message: /no entity "mail"; there are card-number/ })
  })

  test('takes own patterns, and refuses those that cannot be used', () => {
    const own = createDetector({ entities: ['email'], patterns: [{ name: 'staff-id', pattern: String.raw`\bEMP-\d{6}\b`, literal: 'EMP-', confidence: 0.8 }, { name: 'word', pattern: 'sesame+' }] })
    assert.deepEqual(found('EMP-123456, EMP-1234567, sesamee, a@example.com', '', own), ['staff-id EMP-123456', 'word sesamee', 'email a@example.com'])
    for (const [pattern, why] of [['(a', /is not of RE2/], ['a*', /matches the empty text/], ['(?=a)b', /is not of RE2/], ['a'.repeat(1001), /longer than 1000/]] as const) {
      assert.throws(() => createDetector({ patterns: [{ name: 'own', pattern }] }), { code: 'CONFIG_INVALID', message: why })
    }
    assert.throws(() => createDetector({ patterns: [{ name: 'email', pattern: 'a' }] }), /needs a name of its own/)
  })

  test('finds own patterns wherever they are in a long text', () => {
    const own = createDetector({ entities: [], patterns: [{ name: 'own', pattern: 'EMP-[0-9]{6}' }] })
    for (const before of [0, 1, 6143, 6144, 8180, 8185, 8191, 8192, 12_287, 30_000]) {
      const text = `${' '.repeat(before)}EMP-123456 ${' '.repeat(9000)}EMP-654321`
      assert.deepEqual(found(text, '', own), ['own EMP-123456', 'own EMP-654321'], `behind ${before} characters`)
    }
  })

  test('keeps the surer of two findings that overlap', () => {
    finds(['2025550142@txt.example.com', 'email 2025550142@txt.example.com'], ['ada@10.0.0.1', 'ip-address 10.0.0.1'])
  })
})

/** Pieces that set off every scanner, put together in any order. */
const PIECES = ['4111 1111 1111 1111', '4111', ' ', '-', '.', '+', '(', ')', '/', '1', '23', '456', '7890', 'DE89', '3704 0044 0532 0130 00', 'GB82 WEST', 'eyJhbGciOiJIUzI1NiJ9', '.', '@', '%40', 'ada', 'example.com', ':', '::', 'fe80', '2001:db8::1', '10.0.0.1', '-----BEGIN PRIVATE KEY-----', '-----END', KEY, 'AKIAIOSFODNN7EXAMPLE', 'AccountKey=', 'xoxb-', 'sk_live_', '8Q~', 'phone ', 'ssn ', 'é', '\u00a0', '\u2011', '🦊', '\ud800', '\n', '"', ',', '078-05-1121', '+44 20 7946 0018', '(0)']
const texts = fc.array(fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...PIECES) }, { weight: 1, arbitrary: fc.string({ maxLength: 8 }) }), { maxLength: 24 }).map((pieces) => pieces.join(''))

describe('for any text, the detector', () => {
  const eager = createDetector({ minConfidence: 0.05 })

  test('gives findings in order, inside the text and without overlaps', () => {
    fc.assert(fc.property(texts, (text) => {
      let last = 0
      for (const { start, end, confidence } of eager.find(text)) {
        assert.ok(start >= last && end > start && end <= text.length && confidence > 0 && confidence <= 1)
        last = end
      }
    }), { numRuns: 5000 })
  })

  test('finds nothing in bytes that may contain nothing, however little it needs', () => {
    let passed = 0
    const hints = fc.constantFrom('', 'phone', 'ssn', 'card', 'ip', 'aws_secret_access_key')
    for (const using of [eager, ...ENTITIES.map((entity) => createDetector({ entities: [entity], minConfidence: 0.05 }))]) {
      fc.assert(fc.property(texts, hints, (text, hint) => {
        if (using.mayContain(Buffer.from(text))) return
        passed++
        assert.deepEqual(using.find(text, hint) satisfies Finding[], [], JSON.stringify(text))
      }), { numRuns: 2000 })
    }
    assert.ok(passed > 2000, `only ${passed} texts passed the prefilter`)
  })

  test('passes ordinary text over', () => {
    for (const text of ['The quick brown fox jumps over the lazy dog.', '39.90', 'Oak chair (2 pieces)', '2024', 'shipped; 14 days', 'true', '', 'SKU 4711-A', '10:30', '{"a":1,"b":[2,3]}', 'π ≈ 3.14']) {
      assert.equal(detector.mayContain(Buffer.from(text)), false, text)
    }
    assert.equal(detector.mayContain(Buffer.from('xx ada@example.com xx'), 3, 18), true)
    assert.equal(detector.mayContain(Buffer.from('ada@example.com tail'), 16), false)
    assert.equal(createDetector({ entities: [], patterns: [{ name: 'own', pattern: 'EMP-..', literal: 'EMP-' }] }).mayContain(Buffer.from('12 EMX-')), false)
    assert.equal(createDetector({ entities: [], patterns: [{ name: 'own', pattern: 'EMP-..' }] }).mayContain(Buffer.from('x')), true)
  })
})

/** What makes each scanner look as far as it may, again and again. */
const HOSTILE = ['4', '4 ', '4111 ', '41111111111111111 ', '1.', '1-', '0 0 ', '+1 ', '(1) ', '+44 20 7946 001 ', '@', 'a@', 'a.a@a.a', 'a@a.', '%40', ':', '::', 'f:', 'a::', 'eyJ', 'eyJ-', 'eyJ.', 'eyJhbGciOiJIUzI1NiJ9.', '-', '-----BEGIN PRIVATE KEY-----', '-----BEGIN RSA PRIVATE KEY-----\nMIIE', 'AK', 'AKIA', 'sk-ant-', 'ya29.', 'hvs.', 'SG.', 'xoxb-', 'DE89 ', 'DE89', 'GB82WEST', 'AccountKey=', 'secret_access_key ', '8Q~', 'PuTTY-User-Key-File-2: ', 'phone 1234567 ', 'é', 'a', '_', 'Aa']

describe('whoever wrote it, a text', () => {
  const own = createDetector({ patterns: [{ name: 'own', pattern: 'a.*b|a' }] })

  test('of a million characters takes well under the time that its square would', { timeout: 120_000 }, () => {
    for (const piece of HOSTILE) {
      const text = piece.repeat(Math.ceil(1_000_000 / piece.length))
      const begin = performance.now()
      detector.find(text)
      detector.mayContain(Buffer.from(text))
      const took = performance.now() - begin
      assert.ok(took < 5000, `${JSON.stringify(piece)} took ${Math.round(took)} ms`)
    }
  })

  test('cannot make an own pattern take the square of its length', { timeout: 60_000 }, () => {
    const begin = performance.now()
    assert.ok(own.find('a'.repeat(100_000)).length > 0)
    assert.ok(performance.now() - begin < 30_000)
  })
})
