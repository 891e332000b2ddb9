/**
 * X.509 certificates for tests, made on the spot (node:crypto can read but not write them).
 * Layout: RFC 5280, section 4.1; DER: X.690.
 */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { isIP } from 'node:net'

export interface Certificate {
  /** PEM. */
  readonly cert: string
  /** PEM, PKCS #8, unencrypted. */
  readonly key: string
}

export interface CertificateRequest {
  readonly commonName: string
  /** Subject alternative names: DNS names and IP addresses. */
  readonly names?: readonly string[]
  /** Hash of the authority's signature; what tls-server-end-point goes by. Default sha256. */
  readonly digest?: Digest
}

export interface Authority extends Certificate {
  issue(request: CertificateRequest): Certificate
}

type Digest = 'sha256' | 'sha384' | 'sha512'
const ECDSA_WITH: Record<Digest, string> = { sha256: '1.2.840.10045.4.3.2', sha384: '1.2.840.10045.4.3.3', sha512: '1.2.840.10045.4.3.4' }
const DAY_MS = 86_400_000

/** A self-signed authority with a P-256 key; what it issues is valid from yesterday for 30 days. */
export function createAuthority(commonName = 'Sallyport test authority'): Authority {
  const own = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const cert = certificate({ commonName, issuer: commonName, digest: 'sha256', extensions: authorityExtensions() }, own.publicKey, own.privateKey)
  const issue = (request: CertificateRequest): Certificate => {
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const extensions = request.names === undefined ? [] : [subjectAltNames(request.names)]
    const fields = { commonName: request.commonName, issuer: commonName, digest: request.digest ?? 'sha256', extensions }
    return { cert: certificate(fields, pair.publicKey, own.privateKey), key: privatePem(pair.privateKey) }
  }
  return { cert, key: privatePem(own.privateKey), issue }
}

interface Fields { commonName: string; issuer: string; digest: Digest; extensions: Buffer[] }

function certificate(fields: Fields, subjectKey: KeyObject, issuerKey: KeyObject): string {
  const algorithm = sequence(oid(ECDSA_WITH[fields.digest]))
  const now = Date.now()
  const body = sequence(
    der(0xa0, integer(Buffer.of(2))),
    integer(Buffer.concat([Buffer.of(1), randomBytes(8)])),
    algorithm,
    name(fields.issuer),
    sequence(time(now - DAY_MS), time(now + 30 * DAY_MS)),
    name(fields.commonName),
    subjectKey.export({ type: 'spki', format: 'der' }),
    ...(fields.extensions.length === 0 ? [] : [der(0xa3, sequence(...fields.extensions))]),
  )
  const signature = sign(fields.digest, body, issuerKey)
  return pem('CERTIFICATE', sequence(body, algorithm, bitString(signature)))
}

function authorityExtensions(): Buffer[] {
  const isAuthority = sequence(der(0x01, Buffer.of(0xff)))
  const signsCertificates = Buffer.of(0x03, 0x02, 0x01, 0x06)
  return [extension('2.5.29.19', isAuthority), extension('2.5.29.15', signsCertificates)]
}

function subjectAltNames(names: readonly string[]): Buffer {
  const general = names.map((entry) => (isIP(entry) === 4 ? der(0x87, Buffer.from(entry.split('.').map(Number))) : der(0x82, Buffer.from(entry))))
  return extension('2.5.29.17', sequence(...general))
}

function extension(id: string, value: Buffer): Buffer {
  return sequence(oid(id), der(0x04, value))
}

function name(commonName: string): Buffer {
  return sequence(der(0x31, sequence(oid('2.5.4.3'), der(0x0c, Buffer.from(commonName)))))
}

function privatePem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

function der(tag: number, ...content: Buffer[]): Buffer {
  const body = Buffer.concat(content)
  if (body.length < 0x80) return Buffer.concat([Buffer.of(tag, body.length), body])
  if (body.length < 0x100) return Buffer.concat([Buffer.of(tag, 0x81, body.length), body])
  const long = Buffer.alloc(2)
  long.writeUInt16BE(body.length)
  return Buffer.concat([Buffer.of(tag, 0x82), long, body])
}

function sequence(...content: Buffer[]): Buffer {
  return der(0x30, ...content)
}

function integer(bytes: Buffer): Buffer {
  return der(0x02, bytes)
}

function bitString(bytes: Buffer): Buffer {
  return der(0x03, Buffer.of(0), bytes)
}

/** UTCTime: `YYMMDDHHMMSSZ`. */
function time(ms: number): Buffer {
  return der(0x17, Buffer.from(`${new Date(ms).toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`))
}

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return der(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]))
}

function base128(value: number): number[] {
  const bytes = [value & 0x7f]
  for (let left = Math.floor(value / 128); left > 0; left = Math.floor(left / 128)) bytes.unshift((left & 0x7f) | 0x80)
  return bytes
}
