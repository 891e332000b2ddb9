import type { Finding } from './finding.ts'

/** In order of place; of two that overlap the surer stays, of two as sure the longer. */
export function resolveOverlaps(findings: Finding[]): Finding[] {
  if (findings.length < 2) return findings
  findings.sort((a, b) => a.start - b.start || b.end - a.end)
  const kept: Finding[] = []
  for (const finding of findings) {
    const last = kept[kept.length - 1]
    if (last === undefined || last.end <= finding.start) kept.push(finding)
    else if (isSurer(finding, last)) replaceLast(kept, finding)
  }
  return kept
}

/** The surer one may also overlap what was kept before the one it replaces. */
function replaceLast(kept: Finding[], finding: Finding): void {
  for (let last = kept[kept.length - 1]; last !== undefined && last.end > finding.start; last = kept[kept.length - 1]) {
    if (!isSurer(finding, last)) return
    kept.pop()
  }
  kept.push(finding)
}

function isSurer(a: Finding, b: Finding): boolean {
  if (a.confidence !== b.confidence) return a.confidence > b.confidence
  return a.end - a.start > b.end - b.start
}
