import { ALPHANUMERIC, DASH, DIGIT, HEX, UPPER, WORD } from './characters.ts'

/** What a provider's key looks like behind its prefix. Sources: the providers' own documentation of their formats. */
export interface KeyFormat {
  readonly prefix: string
  /** Class bits of the characters behind it. */
  readonly classes: number
  /** Characters behind the prefix, least and most. */
  readonly least: number
  readonly most: number
  readonly check?: 'aws' | 'crc32'
}

const TOKEN = WORD | DASH
const key = (prefixes: string, classes: number, least: number, most = least, check?: 'aws' | 'crc32'): KeyFormat[] =>
  prefixes.split(' ').map((prefix) => ({ prefix, classes, least, most, ...(check === undefined ? {} : { check }) }))

export const KEY_FORMATS: readonly KeyFormat[] = [
  ...key('AKIA ASIA ABIA ACCA', UPPER | DIGIT, 16, 16, 'aws'),
  ...key('AIza', TOKEN, 35),
  ...key('GOCSPX-', TOKEN, 28),
  ...key('ya29.', TOKEN, 20, 1024),
  ...key('ghp_ gho_ ghu_ ghs_ ghr_', ALPHANUMERIC, 36, 36, 'crc32'),
  ...key('npm_', ALPHANUMERIC, 36, 36, 'crc32'),
  ...key('github_pat_', WORD, 82),
  ...key('glpat- gldt- glrt-', TOKEN, 20, 64),
  ...key('xoxb- xoxp- xoxa- xoxr- xoxs- xoxe- xoxe.xoxb- xoxe.xoxp- xapp-', TOKEN, 20, 256),
  ...key('sk_live_ sk_test_ rk_live_ rk_test_', ALPHANUMERIC, 16, 247),
  ...key('whsec_', TOKEN, 32, 64),
  ...key('sk-proj- sk-svcacct- sk-admin- sk-ant-', TOKEN, 40, 256),
  ...key('sk-', ALPHANUMERIC, 48),
  ...key('SG.', TOKEN, 22, 22),
  ...key('hf_', ALPHANUMERIC, 34, 40),
  ...key('dop_v1_ doo_v1_ dor_v1_', HEX, 64),
  ...key('hvs. hvb.', TOKEN, 24, 256),
  ...key('pypi-AgE', TOKEN, 80, 512),
  ...key('shpat_ shpca_ shppa_ shpss_', HEX, 32),
  ...key('dapi', HEX, 32),
  ...key('sbp_', HEX, 40),
]

/** A name, without `_` and in small letters → how many characters of base64 its value has. */
export const LABELLED_SECRETS: ReadonlyMap<string, number> = new Map([
  ['awssecretaccesskey', 40], ['secretaccesskey', 40], ['awssecretkey', 40], ['awssecret', 40],
  ['accountkey', 88], ['azurestoragekey', 88], ['storageaccountkey', 88], ['sharedaccesskey', 44],
])

export const SLACK_HOOK = 'https://hooks.slack.com/services/'
