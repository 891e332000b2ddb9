import { readFileSync } from 'node:fs'

/** From package.json, one folder up from here in the sources, and two in what is published. */
export const VERSION: string = versionOf(['../package.json', '../../package.json'])

function versionOf([first, ...others]: readonly string[]): string {
  if (first === undefined) return 'unknown'
  try {
    const { name, version } = JSON.parse(readFileSync(new URL(first, import.meta.url), 'utf8')) as { name?: string; version?: string }
    if (name === 'sallyport' && version !== undefined) return version
  } catch {
    // Not there: the next place.
  }
  return versionOf(others)
}
