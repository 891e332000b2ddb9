/** What looks like an entity and is none, each with the entities that it tempts. */
import { randomUUID } from 'node:crypto'
import type { Entity } from '../../../../../adapters/shared/detection/index.ts'
import type { Random } from './random.ts'
import { cardDigits, grouped, iban, luhnComplete } from './values.ts'

export interface Negative { readonly text: string; readonly tempts: readonly Entity[] }

type Kind = readonly [tempts: readonly Entity[], make: (random: Random) => string]

const two = (value: number): string => String(value).padStart(2, '0')
const date = (random: Random, separator = '-'): string => [random.whole(1950, 2030), two(random.whole(1, 12)), two(random.whole(1, 28))].join(separator)
const time = (random: Random): string => [random.whole(0, 23), random.whole(0, 59), random.whole(0, 59)].map(two).join(':')
/** Not from the runtime's generator: the set has to be the same each time. */
const uuid = (random: Random): ReturnType<typeof randomUUID> => `${random.hex(8)}-${random.hex(4)}-4${random.hex(3)}-a${random.hex(3)}-${random.hex(12)}`
const spoiltLuhn = (digits: string): string => digits.slice(0, -1) + (Number(digits.at(-1)) + 5) % 10
const spoiltCheck = (written: string): string => written.slice(0, 2) + two((Number(written.slice(2, 4)) + 7) % 97) + written.slice(4)

const NUMBERS: readonly Entity[] = ['card-number', 'us-ssn', 'phone', 'ip-address']
const KINDS: readonly Kind[] = [
  [NUMBERS, (random) => `order ${random.digits(random.whole(7, 16))} shipped`],
  [NUMBERS, (random) => `invoice no. ${random.digits(4)}-${random.digits(4)}-${random.digits(4)}`],
  [NUMBERS, (random) => `${date(random)} ${time(random)}.${random.digits(6)}`],
  [NUMBERS, (random) => `${two(random.whole(1, 28))}.${two(random.whole(1, 12))}.${random.whole(1950, 2030)} ${random.whole(10, 23)} Uhr`],
  [NUMBERS, (random) => `${two(random.whole(1, 12))}/${two(random.whole(1, 28))}/${random.whole(1950, 2030)}`],
  [NUMBERS, (random) => `${date(random, '')}${random.digits(6)}`],
  [NUMBERS, (random) => `{"ts":${random.whole(1_500_000_000, 1_800_000_000)}${random.digits(random.pick([0, 3, 6]))}}`],
  [[...NUMBERS, 'iban', 'cloud-key'], (random) => uuid(random)],
  [[...NUMBERS, 'iban', 'cloud-key'], (random) => random.hex(random.pick([16, 32, 40, 64]))],
  [['iban', 'cloud-key', 'jwt'], (random) => random.bytes(random.whole(15, 60)).toString('base64')],
  [NUMBERS, (random) => `$${random.whole(1, 999)},${random.digits(3)}.${random.digits(2)}`],
  [NUMBERS, (random) => `total ${random.digits(7)}.${random.digits(2)} EUR`],
  [NUMBERS, (random) => `0.${random.digits(16)}`],
  [NUMBERS, (random) => `978-${random.digits(1)}-${random.digits(4)}-${random.digits(4)}-${random.digits(1)}`],
  [['card-number', 'phone'], (random) => `ISBN ${random.digits(1)}-${random.digits(3)}-${random.digits(5)}-${random.digits(1)}`],
  [['card-number'], (random) => `EAN ${random.pick(['40', '45', '49', '54'])}${random.digits(11)}`],
  [['card-number'], (random) => `IMEI ${luhnComplete(`35${random.digits(12)}`)}`],
  [['card-number'], (random) => luhnComplete(`8${random.of('456789', 1)}${random.digits(13)}`)],
  [['card-number'], (random) => luhnComplete(`7${random.digits(14)}`)],
  [['card-number'], (random) => `order ${cardDigits(random).digits}`],
  [['card-number'], (random) => `tracking ${luhnComplete(`9400${random.digits(17)}`)}`],
  [['card-number', 'phone'], (random) => spoiltLuhn(cardDigits(random).digits)],
  [['card-number', 'phone'], (random) => { const { digits, groups } = cardDigits(random); return grouped(spoiltLuhn(digits), groups, ' ') }],
  [['card-number'], (random) => random.digits(16)],
  [['card-number'], (random) => Array.from({ length: 6 }, () => random.digits(4)).join(' ')],
  [['card-number', 'phone'], (random) => `${cardDigits(random).digits}${random.digits(5)}`],
  [['card-number', 'phone', 'cloud-key'], (random) => `id_${cardDigits(random).digits}`],
  [['iban'], (random) => spoiltCheck(iban(random))],
  [['iban'], (random) => iban(random).slice(0, -1)],
  [['iban'], (random) => `${random.pick(['XA', 'QZ', 'US', 'AA'])}${random.digits(20)}`],
  [['iban'], (random) => `DE${random.digits(9)}`],
  [['iban'], (random) => `${random.of('ABCDEFGHIJKLMNOPQRSTUVWXYZ', 2)}${random.digits(2)}-${random.of('ABCDEFGHJKLMNPQRSTUVWXYZ23456789', 4)}-${random.of('ABCDEFGHJKLMNPQRSTUVWXYZ23456789', 4)}-${random.of('ABCDEFGHJKLMNPQRSTUVWXYZ23456789', 4)}`],
  [['us-ssn'], (random) => `${random.pick(['000', '666', '900', '987'])}-${random.digits(2)}-${random.digits(4)}`],
  [['us-ssn'], (random) => `${random.whole(100, 665)}-00-${random.digits(4)}`],
  [['us-ssn', 'phone'], (random) => `${random.digits(2)}-${random.digits(7)}`],
  [['us-ssn', 'phone'], (random) => `part no ${random.digits(3)}-${random.digits(2)}-${random.digits(4)}`],
  [['us-ssn', 'phone'], (random) => `${random.digits(3)}-${random.digits(2)}-${random.digits(4)}-${random.digits(2)}`],
  [['us-ssn', 'phone'], (random) => `ticket ${random.digits(9)}`],
  [['us-ssn', 'phone'], (random) => `{"id": ${random.whole(100_000_000, 899_999_999)}}`],
  [['us-ssn'], (random) => `${random.digits(5)}-${random.digits(4)}`],
  [['phone'], (random) => `${random.digits(10)}`],
  [['phone'], (random) => `PO-${random.digits(10)}`],
  [['phone'], (random) => `account ${random.digits(3)} ${random.digits(3)} ${random.digits(4)}`],
  [['phone'], (random) => `ref ${random.digits(3)}-${random.digits(3)}-${random.digits(4)}`],
  [['phone'], (random) => `${random.whole(20, 80)}.${random.digits(6)}, -${random.whole(10, 99)}.${random.digits(6)}`],
  [['phone'], (random) => `x = ${random.digits(4)} + ${random.digits(5)} - ${random.digits(3)}`],
  [['phone'], (random) => `${random.digits(3)} ${random.digits(3)} rows, ${random.digits(4)} bytes`],
  [['phone'], (random) => `${random.whole(1900, 1999)}-${random.whole(2000, 2030)} ${random.digits(3)}`],
  [['phone', 'ip-address'], (random) => `v${random.whole(0, 30)}.${random.whole(0, 30)}.${random.digits(4)}`],
  [['ip-address'], (random) => `version ${random.whole(0, 9)}.${random.whole(0, 30)}.${random.whole(0, 99)}.${random.whole(0, 200)}`],
  [['ip-address'], (random) => `Chrome/${random.whole(80, 130)}.0.${random.digits(3)}.${random.whole(0, 200)} Safari/537.36`],
  [['ip-address'], (random) => `${random.whole(1, 9)}.${random.whole(1, 15)}.${random.whole(1, 15)}.${random.whole(1, 15)} Scope`],
  [['ip-address'], (random) => `1.3.6.1.4.1.${random.whole(1, 9999)}.${random.whole(1, 99)}`],
  [['ip-address'], (random) => `${random.whole(256, 999)}.${random.whole(0, 255)}.${random.whole(0, 255)}.${random.whole(0, 255)}`],
  [['ip-address'], (random) => `${random.whole(1, 99)}.${random.whole(1, 99)}.${random.whole(1, 99)}.${random.whole(1, 99)}-rc${random.whole(1, 9)}`],
  [['ip-address'], (random) => Array.from({ length: 6 }, () => random.hex(2)).join(':')],
  [['ip-address'], (random) => Array.from({ length: 20 }, () => random.hex(2).toUpperCase()).join(':')],
  [['ip-address'], (random) => `${time(random)} ${random.pick(['std::string', 'Foo::Bar', 'a::before', 'x::int', 'Ada::Bede', 'std::deque<int>::begin'])}`],
  [['email'], (random) => `${random.pick(['react', 'lodash', '@types/node', 'left-pad'])}@${random.whole(0, 20)}.${random.whole(0, 20)}.${random.whole(0, 20)}`],
  [['email'], (random) => `${random.pick(['logo', 'icon-16', 'hero_image'])}@${random.whole(2, 3)}x.${random.pick(['png', 'jpg', 'webp'])}`],
  [['email'], (random) => `${random.pick(['getty', 'user', 'postgresql'])}@${random.pick(['tty1', '1000', '16-main'])}.service`],
  [['email'], (random) => `git@${random.pick(['github.com', 'gitlab.com', 'git.example.org'])}:${random.base62(5)}/${random.base62(7)}.git`],
  [['email'], (random) => `postgres://${random.pick(['app', 'shop', 'svc'])}:${random.base62(10)}@db${random.whole(1, 9)}.example.com:5432/shop`],
  [['email'], (random) => `https://${random.base62(6)}@sentry.example.com/${random.whole(1, 99)}`],
  [['email'], (random) => `@${random.pick(['Override', 'app.route', 'media', 'angular/core.js'])} ${random.base62(4)}@${random.base62(5)}`],
  [['email'], (random) => `com.shop.Order@${random.hex(8)} java.lang.Object@${random.hex(6)}.x`],
  [['email'], (random) => `obj@${random.pick(['foo.prototype', 'list.length', 'data.value', 'config.yaml', 'main.py3', 'handler.ts'])}`],
  [['email'], (random) => `ssh deploy@${random.pick(['web', 'db'])}${random.whole(1, 9)}.example.com`],
  [['email'], (random) => `price @ ${random.whole(1, 99)}.${random.digits(2)} each, ${random.whole(1, 9)}@${random.whole(1, 99)}.${random.digits(2)}`],
  [['email'], (random) => `${random.base62(6)}@.com a@b @${random.base62(8)} ${random.base62(3)}@-x.de`],
  [['jwt'], (random) => `eyJ${random.base62(30)}`],
  [['jwt'], (random) => `eyJ${random.base62(30)}.${random.base62(40)}.${random.base62(43)}`],
  [['jwt'], (random) => `${Buffer.from(JSON.stringify({ id: random.whole(1, 9), name: random.base62(5) })).toString('base64url')}.${random.base62(9)}`],
  [['jwt'], (random) => Buffer.from(JSON.stringify({ cursor: random.digits(12) })).toString('base64')],
  [['jwt'], (random) => `${random.base62(24)}.${random.base62(6)}.${random.base62(27)}`],
  [['private-key'], (random) => `-----BEGIN ${random.pick(['CERTIFICATE', 'PUBLIC KEY', 'PGP PUBLIC KEY BLOCK', 'CERTIFICATE REQUEST', 'PGP MESSAGE'])}-----\n${random.bytes(90).toString('base64')}\n-----END X-----`],
  [['private-key'], (random) => `ssh-ed25519 ${random.bytes(51).toString('base64')} ada@laptop`],
  [['private-key'], (random) => `if (line.startsWith('-----BEGIN ${random.pick(['RSA PRIVATE KEY', 'PRIVATE KEY', 'EC PRIVATE KEY'])}-----')) { key = ${random.base62(4)} }`],
  [['private-key'], (random) => `the private key of ${random.base62(6)} begins with BEGIN PRIVATE KEY and ends in ---`],
  [['private-key'], (random) => `${'-'.repeat(random.whole(4, 60))} ${random.base62(8)} ${'-'.repeat(random.whole(4, 60))}`],
  [['private-key'], (random) => `SHA256:${random.bytes(32).toString('base64').slice(0, 43)}`],
  [['cloud-key'], (random) => `AKIA${random.pick(['X', '0', 'E'])}`.padEnd(20, 'X') + random.pick(['', '.', ' '])],
  [['cloud-key'], (random) => `${random.pick(['sk_live_', 'ghp_', 'xoxb-', 'AIza'])}${'x'.repeat(random.whole(20, 40))}`],
  [['cloud-key'], (random) => `pk_live_${random.base62(24)}`],
  [['cloud-key'], (random) => `AKIA${random.base62(16).toLowerCase()}`],
  [['cloud-key'], (random) => `ghp_${random.base62(random.whole(5, 20))}`],
  [['cloud-key'], (random) => `sk-${random.pick(['button', 'folding-cube', 'fading-circle', 'chasing-dots'])}-${random.whole(1, 12)}`],
  [['cloud-key'], (random) => `arn:aws:iam::${random.digits(12)}:user/${random.base62(8)}`],
  [['cloud-key'], (random) => `secret_name = ${random.base62(12)} secretary@ access`],
  [['cloud-key'], (random) => `commit ${random.hex(40)}`],
]

/** Written by hand, from logs, source code and tables. */
const BY_HAND: readonly Negative[] = ([
  [['phone', 'card-number'], 'SELECT * FROM orders WHERE id BETWEEN 4111110000 AND 4111119999'], [['phone'], 'HTTP/1.1 200 1234567 "-" "curl/8.5.0"'],
  [['ip-address'], 'PostgreSQL 16.14.0.1 on x86_64, compiled by gcc 12.2.0'], [['ip-address'], 'AssemblyVersion("4.0.30319.42000")'],
  [['phone'], 'vacuum: 1234567 dead rows, 7654321 live rows'], [['phone'], 'lat 52.520008, lon 13.404954'], [['card-number', 'phone'], 'pi is 3.1415926535897932384626433832795'],
  [['us-ssn'], 'GET /report/2024-11-2100'], [['email'], 'x@y'], [['email'], 'foo@bar.baz()'], [['email'], 'docker pull registry.example.com/app@sha256:9f86d081884c7d65'],
  [['iban'], 'ES2024 and CH47 are standards'], [['us-ssn', 'phone'], 'ZIP+4 90210-1234, 10001-0001'], [['ip-address'], 'SNMPv2-SMI::enterprises.2021.4.5.0'],
  [['phone'], '+1234567'], [['phone'], 'a+4915112345678'], [['card-number'], '4111-1111-1111-1111-2222'], [['jwt'], 'eyJhbGciOi'], [['ip-address'], 'at 10:20:30.400 or ::'],
] satisfies [Entity[], string][]).map(([tempts, text]) => ({ tempts, text }))

export function hardNegatives(random: Random, each: number): Negative[] {
  const generated = KINDS.flatMap(([tempts, make]) => Array.from({ length: each }, () => ({ tempts, text: make(random) })))
  return [...BY_HAND, ...generated]
}
