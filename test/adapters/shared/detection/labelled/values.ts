/** True values, made up from the published formats and nothing of the detector: each with its spelling. */
import { crc32 } from 'node:zlib'
import type { Entity } from '../../../../../adapters/shared/detection/index.ts'
import type { Random } from './random.ts'

export type Make = (random: Random) => string

const FIRST = ['ada', 'bela', 'chidi', 'dagny', 'emre', 'fumiko', 'gita', 'hugo', 'inês', 'jonas', 'keira', 'luca', 'm.okafor', 'o\'brien', 'p-j', 'ravi.k', 'x_ae']
const LAST = ['marsh', 'novak', 'okoro', 'holm', 'kaya', 'ito', 'rao', 'blanc', 'duarte', 'weber', 'walsh', 'ferri', 'smith-jones', 'van.dijk']
const DOMAINS = ['example.com', 'example.org', 'mail.example.net', 'gmail.com', 'uni-bremen.de', 'nhs.uk', 'corp.example.co.uk', 'firma.at', 'correo.mx', 'bücher.example.de', 'post.local', 'research.lab.museum', 'startup.io', 'shop.xn--p1ai']

export function luhnComplete(digits: string): string {
  for (let check = 0; ; check++) {
    const whole = Array.from(`${digits}${check}`).reverse()
    const sum = whole.reduce((total, digit, index) => total + (index % 2 === 0 ? Number(digit) : [0, 2, 4, 6, 8, 1, 3, 5, 7, 9][Number(digit)] ?? 0), 0)
    if (sum % 10 === 0) return `${digits}${check}`
  }
}

const CARDS: readonly (readonly [prefixes: readonly string[], length: number, groups: readonly number[]])[] = [
  [['4'], 16, [4, 4, 4, 4]], [['4'], 16, [4, 4, 4, 4]], [['51', '52', '53', '54', '55', '2221', '2500', '2720'], 16, [4, 4, 4, 4]],
  [['34', '37'], 15, [4, 6, 5]], [['6011', '645', '65'], 16, [4, 4, 4, 4]], [['36', '300', '38'], 14, [4, 6, 4]],
  [['3530', '3566', '3589'], 16, [4, 4, 4, 4]], [['62'], 16, [4, 4, 4, 4]], [['62'], 19, [4, 4, 4, 4, 3]], [['2200', '2204'], 16, [4, 4, 4, 4]],
]

export function cardDigits(random: Random): { digits: string; groups: readonly number[] } {
  const [prefixes, length, groups] = random.pick(CARDS)
  const prefix = random.pick(prefixes)
  return { digits: luhnComplete(prefix + random.digits(length - prefix.length - 1)), groups }
}

export function grouped(text: string, groups: readonly number[], separator: string): string {
  let at = 0
  return groups.map((size) => text.slice(at, at += size)).join(separator)
}

const card: Make = (random) => {
  const { digits, groups } = cardDigits(random)
  return random.next() < 0.5 ? digits : grouped(digits, groups, random.pick([' ', ' ', '-', '\u00a0']))
}

/** Country and BBAN: 9 stands for a digit, A for a capital, X for either. */
const BBANS = [
  'DE999999999999999999', 'GBAAAA99999999999999', 'FR9999999999XXXXXXXXXXX99', 'ES99999999999999999999', 'ITA9999999999XXXXXXXXXXXX', 'NLAAAA9999999999',
  'BE999999999999', 'CH99999XXXXXXXXXXXX', 'AT9999999999999999', 'PL999999999999999999999999', 'SE99999999999999999999', 'NO99999999999', 'DK99999999999999',
  'IEAAAA99999999999999', 'PT999999999999999999999', 'HU999999999999999999999999', 'MTAAAA99999XXXXXXXXXXXXXXXXXX', 'SA99XXXXXXXXXXXXXXXXXX', 'AE9999999999999999999', 'TR999999XXXXXXXXXXXXXXXX',
]

export function iban(random: Random): string {
  const pattern = random.pick(BBANS)
  const bban = Array.from(pattern.slice(2), (kind) => (kind === '9' ? random.digits(1) : kind === 'A' ? random.of('ABCDEFGHIJKLMNOPQRSTUVWXYZ', 1) : random.of('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', 1))).join('')
  const number = BigInt(Array.from(`${bban}${pattern.slice(0, 2)}00`, (character) => Number.parseInt(character, 36)).join(''))
  return `${pattern.slice(0, 2)}${String(98n - number % 97n).padStart(2, '0')}${bban}`
}

const writtenIban: Make = (random) => {
  const whole = iban(random)
  return random.next() < 0.5 ? whole : (whole.match(/.{1,4}/g) ?? []).join(random.pick([' ', ' ', '\u00a0']))
}

const ssn: Make = (random) => {
  const area = random.pick([random.whole(1, 665), random.whole(667, 899)])
  const parts = [String(area).padStart(3, '0'), String(random.whole(1, 99)).padStart(2, '0'), String(random.whole(1, 9999)).padStart(4, '0')]
  return parts.join(random.pick(['-', '-', '-', '-', ' ', '']))
}

const email: Make = (random) => {
  const local = random.pick([
    () => `${random.pick(FIRST)}.${random.pick(LAST)}`, () => `${random.pick(FIRST)}${random.whole(1, 99)}`, () => `${random.pick(FIRST)}+${random.pick(['news', 'shop', 'x1'])}`,
    () => random.pick(['info', 'sales', 'no-reply', 'a']), () => `${random.pick(FIRST)}_${random.pick(LAST)}`.toUpperCase(),
  ])()
  const at = random.next() < 0.03 ? '%40' : '@'
  return `${local}${at}${random.pick(DOMAINS)}`
}

const N = (random: Random): string => random.of('23456789', 1) + random.of('023456789', 1) + random.digits(1)
const PHONES: readonly Make[] = [
  (random) => `+1 ${N(random)} ${N(random)} ${random.digits(4)}`, (random) => `+1${N(random)}${N(random)}${random.digits(4)}`,
  (random) => `(${N(random)}) ${N(random)}-${random.digits(4)}`, (random) => `${N(random)}-${N(random)}-${random.digits(4)}`, (random) => `${N(random)}.${N(random)}.${random.digits(4)}`,
  (random) => `1-${N(random)}-${N(random)}-${random.digits(4)}`, (random) => `${N(random)}${N(random)}${random.digits(4)}`,
  (random) => `+44 20 ${random.digits(4)} ${random.digits(4)}`, (random) => `+44 (0)20 ${random.digits(4)} ${random.digits(4)}`, (random) => `020 7${random.digits(3)} ${random.digits(4)}`, (random) => `07${random.digits(3)} ${random.digits(6)}`, (random) => `07${random.digits(9)}`,
  (random) => `+49 30 ${random.digits(6)}`, (random) => `+4917${random.digits(9)}`, (random) => `0${random.of('123456789', 1)}${random.digits(2)}/${random.digits(7)}`, (random) => `0049 89 ${random.digits(7)}`,
  (random) => `+33 6 ${grouped(random.digits(8), [2, 2, 2, 2], ' ')}`, (random) => `06 ${grouped(random.digits(8), [2, 2, 2, 2], ' ')}`, (random) => `01.${grouped(random.digits(8), [2, 2, 2, 2], '.')}`,
  (random) => `+39 06 ${random.digits(8)}`, (random) => `+34 6${random.digits(2)} ${random.digits(3)} ${random.digits(3)}`, (random) => `+91 9${random.digits(4)} ${random.digits(5)}`,
  (random) => `+81-3-${random.digits(4)}-${random.digits(4)}`, (random) => `090-${random.digits(4)}-${random.digits(4)}`, (random) => `+55 (11) 9${random.digits(4)}-${random.digits(4)}`, (random) => `(11) 9${random.digits(4)}-${random.digits(4)}`,
  (random) => `+86 138 ${random.digits(4)} ${random.digits(4)}`, (random) => `+61 4${random.digits(2)} ${random.digits(3)} ${random.digits(3)}`, (random) => `(02) 9${random.digits(3)} ${random.digits(4)}`, (random) => `+36 1 ${random.digits(3)} ${random.digits(4)}`, (random) => `+234 80${random.digits(8)}`,
]
const phone: Make = (random) => random.pick(PHONES)(random)

const ip: Make = (random) => random.pick<() => string>([
  () => [random.whole(11, 223), random.whole(0, 255), random.whole(0, 255), random.whole(1, 254)].join('.'), () => `10.${random.whole(0, 255)}.${random.whole(0, 255)}.${random.whole(0, 255)}`,
  () => `192.168.${random.whole(0, 255)}.${random.whole(1, 254)}`, () => `2001:db8:${random.hex(4)}::${random.hex(2)}`, () => `fe80::${random.hex(4)}:${random.hex(4)}`,
  () => `2a02:${Array.from({ length: 7 }, () => random.hex(4)).join(':')}`, () => `::ffff:${random.whole(1, 223)}.${random.whole(0, 255)}.${random.whole(0, 255)}.${random.whole(20, 254)}`,
])()

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const jwt: Make = (random) => {
  const header = random.pick([{ alg: 'HS256', typ: 'JWT' }, { alg: 'RS256', kid: random.hex(12) }, { typ: 'at+jwt', alg: 'ES256' }, { alg: 'none' }])
  const signature = 'none' === header.alg ? '' : random.bytes(random.pick([32, 64, 256])).toString('base64url')
  return `${encoded(header)}.${encoded({ sub: random.digits(8), iat: random.whole(1e9, 2e9), scope: random.base62(random.whole(0, 300)) })}.${signature}`
}

const lines = (text: string, width: number, end: string): string => (text.match(new RegExp(`.{1,${width}}`, 'g')) ?? []).join(end)
const privateKey: Make = (random) => {
  const label = random.pick(['RSA PRIVATE KEY', 'EC PRIVATE KEY', 'PRIVATE KEY', 'ENCRYPTED PRIVATE KEY', 'OPENSSH PRIVATE KEY', 'DSA PRIVATE KEY', 'PGP PRIVATE KEY BLOCK'])
  const end = random.pick(['\n', '\n', '\r\n', '\\n'])
  const extra = label.startsWith('RSA') && random.next() < 0.3 ? `Proc-Type: 4,ENCRYPTED${end}DEK-Info: AES-128-CBC,${random.hex(32).toUpperCase()}${end}${end}` : ''
  const body = lines(random.bytes(random.whole(120, 1700)).toString('base64'), 64, end)
  return `-----BEGIN ${label}-----${end}${extra}${body}${end}-----END ${label}-----`
}

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
function withChecksum(prefix: string, random: Random): string {
  const body = random.base62(30)
  let sum = crc32(body)
  const check = Array.from({ length: 6 }, () => {
    const digit = BASE62[sum % 62]
    sum = Math.floor(sum / 62)
    return digit
  }).reverse().join('')
  return `${prefix}${body}${check}`
}

/** The account's number of twelve digits in bits 1 to 40, base 32. */
function awsId(random: Random): string {
  const bits = 1n << 39n | BigInt(random.whole(1, 999_999)) * 777_777n % (10n ** 12n - 2n ** 39n)
  const written = bits << 9n | BigInt(random.whole(0, 511))
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const head = Array.from({ length: 10 }, (_, at) => alphabet[Number(written << 1n >> BigInt(45 - at * 5) & 31n)]).join('')
  return random.pick(['AKIA', 'ASIA']) + head + random.of(alphabet, 6)
}

const cloudKey: Make = (random) => random.pick<() => string>([
  () => awsId(random), () => awsId(random), () => `AIza${random.base62(30)}_-${random.base62(3)}`, () => `GOCSPX-${random.base62(28)}`, () => `ya29.${random.base62(120)}`,
  () => withChecksum(random.pick(['ghp_', 'gho_', 'ghs_']), random), () => `github_pat_${random.base62(22)}_${random.base62(59)}`, () => withChecksum('npm_', random), () => `glpat-${random.base62(20)}`,
  () => `xoxb-${random.digits(12)}-${random.digits(12)}-${random.base62(24)}`, () => `https://hooks.slack.com/services/T${random.of('ABCDEFGH0123456789', 8)}/B${random.of('ABCDEFGH0123456789', 8)}/${random.base62(24)}`,
  () => `sk_live_${random.base62(24)}`, () => `rk_test_${random.base62(99)}`, () => `sk-ant-api03-${random.base62(93)}-${random.base62(6)}AA`, () => `SG.${random.base62(22)}.${random.base62(43)}`, () => `hf_${random.base62(34)}`,
  () => `${random.base62(3)}8Q~${random.base62(34)}`, () => `dop_v1_${random.hex(64)}`, () => `hvs.${random.base62(90)}`,
])()

/** Values that are only a key by the name before them; the name is not part of the value. */
export const LABELLED_KEYS: readonly (readonly [before: string, Make])[] = [
  ['aws_secret_access_key = ', (random) => `${random.base62(20)}/a1B${random.base62(16)}`],
  ['"SecretAccessKey": "', (random) => `${random.base62(12)}+Zz9${random.base62(24)}`],
  ['DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=', (random) => random.bytes(64).toString('base64')],
]

export const VALUES: Readonly<Record<Entity, Make>> = { 'card-number': card, iban: writtenIban, 'us-ssn': ssn, email, phone, 'ip-address': ip, jwt, 'private-key': privateKey, 'cloud-key': cloudKey }
