/**
 * inet and cidr in both formats.
 * Binary: byte family (2: IPv4, 3: IPv6), byte bits, byte is_cidr, byte size, address. Source: network_send, network.c.
 */
export interface NetworkAddress {
  /** 4 or 16. */
  readonly address: Buffer
  /** Bits of the network. */
  readonly bits: number
}

const V4_BYTES = 4
const V6_BYTES = 16
const FAMILY_V4 = 2
const FAMILY_V6 = 3
const LONGEST_TEXT = 64
/** `[8 groups of 4 with colons]/128` */
export const MAX_NETWORK_BYTES = 43

export function readNetwork(bytes: Buffer, start: number, end: number, format: 0 | 1): NetworkAddress | undefined {
  if (format === 0) return end - start > LONGEST_TEXT ? undefined : parseNetwork(bytes.toString('latin1', start, end))
  const size = bytes[start + 3]
  const family = bytes[start]
  if (end - start < 4 || end - start !== 4 + (size ?? 0) || size !== (family === FAMILY_V4 ? V4_BYTES : family === FAMILY_V6 ? V6_BYTES : -1)) return undefined
  return checked(Buffer.from(bytes.subarray(start + 4, end)), bytes[start + 1] as number)
}

/** `cidr`: the network is always written, as the type does. */
export function writeNetwork({ address, bits }: NetworkAddress, cidr: boolean, format: 0 | 1): Buffer {
  const v4 = address.length === V4_BYTES
  if (format === 1) return Buffer.concat([Buffer.of(v4 ? FAMILY_V4 : FAMILY_V6, bits, cidr ? 1 : 0, address.length), address])
  const text = v4 ? address.join('.') : Array.from({ length: 8 }, (_, i) => address.readUInt16BE(2 * i).toString(16)).join(':')
  return Buffer.from(cidr || bits < address.length * 8 ? `${text}/${bits}` : text)
}

/** With zeros behind the network. */
export function networkOf({ address, bits }: NetworkAddress): NetworkAddress {
  const network = Buffer.from(address)
  network.forEach((byte, index) => {
    network[index] = byte & 0xff00 >> Math.min(8, Math.max(0, bits - index * 8))
  })
  return { address: network, bits }
}

function parseNetwork(text: string): NetworkAddress | undefined {
  const [, host = '', bits] = /^([0-9a-f.:]+)(?:\/(\d{1,3}))?$/i.exec(text) ?? []
  const address = host.includes(':') ? parseV6(host) : parseV4(host)
  return address === undefined ? undefined : checked(address, bits === undefined ? address.length * 8 : Number(bits))
}

function checked(address: Buffer, bits: number): NetworkAddress | undefined {
  return bits <= address.length * 8 ? { address, bits } : undefined
}

function parseV4(text: string): Buffer | undefined {
  const parts = text.split('.')
  return parts.length === V4_BYTES && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256) ? Buffer.from(parts.map(Number)) : undefined
}

/** Groups of hexadecimal digits, one `::` for any number of zeros, the last two maybe as IPv4. Source: RFC 5952, RFC 4291. */
function parseV6(text: string): Buffer | undefined {
  const v4 = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text)
  const tail = v4 === null ? undefined : parseV4(v4[2] ?? '')
  if (v4 !== null && tail === undefined) return undefined
  const hex = tail === undefined ? text : `${v4?.[1] ?? ''}${tail.toString('hex', 0, 2)}:${tail.toString('hex', 2)}`
  const [before = '', after, ...more] = hex.split('::')
  const [left, right] = [groups(before), groups(after ?? '')]
  const zeros = 8 - left.length - right.length
  if (more.length > 0 || (after === undefined ? zeros !== 0 : zeros < 0)) return undefined
  const all = [...left, ...Array.from({ length: zeros }, () => '0'), ...right]
  return all.every((each) => /^[0-9a-f]{1,4}$/i.test(each)) ? Buffer.from(all.map((each) => each.padStart(4, '0')).join(''), 'hex') : undefined
}

const groups = (text: string): string[] => (text === '' ? [] : text.split(':'))
