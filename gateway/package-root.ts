import { readFileSync } from 'node:fs'

/** The folder that holds package.json: one up from here in the sources, two in what is published. */
export const PACKAGE_ROOT: URL = rootOf(['..', '../..'])

export const VERSION: string = packageAt(PACKAGE_ROOT)?.version ?? 'unknown'

function rootOf(places: readonly string[]): URL {
  const folders = places.map((place) => new URL(`${place}/`, import.meta.url))
  return folders.find((folder) => packageAt(folder)?.name === 'sallyport') ?? new URL('../', import.meta.url)
}

function packageAt(folder: URL): { name?: string; version?: string } | undefined {
  try {
    return JSON.parse(readFileSync(new URL('package.json', folder), 'utf8')) as { name?: string; version?: string }
  } catch {
    return undefined
  }
}
