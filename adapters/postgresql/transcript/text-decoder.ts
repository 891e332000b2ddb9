import { isUtf8 } from 'node:buffer'

/** Client encodings whose names differ from WHATWG's. Source: PostgreSQL, "Supported Character Sets"; WHATWG Encoding, "Names and labels". */
const LABELS: Readonly<Record<string, string>> = {
  unicode: 'utf-8', sqlascii: 'utf-8', sjis: 'shift_jis', shiftjis2004: 'shift_jis', eucjis2004: 'euc-jp', uhc: 'euc-kr', euccn: 'gbk',
  koi8: 'koi8-r', win866: 'ibm866', alt: 'ibm866', win874: 'windows-874', abc: 'windows-1258', tcvn: 'windows-1258', win: 'windows-1251',
  latin5: 'windows-1254', latin6: 'iso-8859-10', latin7: 'iso-8859-13', latin8: 'iso-8859-14', latin9: 'iso-8859-15', latin10: 'iso-8859-16',
}

/** Bytes → text, or undefined when they are no text in that encoding. */
export type DecodeText = (bytes: Buffer) => string | undefined

/** @param clientEncoding - as PostgreSQL names it; unknown ones, and SQL_ASCII, are taken for UTF-8 */
export function textDecoder(clientEncoding: string): DecodeText {
  const label = labelOf(clientEncoding.toLowerCase().replaceAll(/[^a-z0-9]/g, ''))
  if (label === 'utf-8') return (bytes) => isUtf8(bytes) ? bytes.toString() : undefined
  const decoder = new TextDecoder(label, { fatal: true, ignoreBOM: true })
  return (bytes) => {
    try {
      return decoder.decode(bytes)
    } catch {
      return undefined
    }
  }
}

function labelOf(name: string): string {
  const label = Object.hasOwn(LABELS, name) ? LABELS[name] : name.replace(/^win(125\d)$/, 'windows-$1').replace(/^euc(jp|kr)$/, 'euc-$1').replace(/^iso8859(\d+)$/, 'iso-8859-$1').replace(/^koi8([ru])$/, 'koi8-$1')
  try {
    return new TextDecoder(label).encoding
  } catch {
    return 'utf-8'
  }
}
