import { MASK_METHODS, type Detection, type MaskMethod } from '../../../core/index.ts'
import { createDetector, ENTITIES, type Detector, type Finding, type OwnPattern } from '../../shared/detection/index.ts'

/** A finding, and what becomes of it. */
export interface MaskedFinding extends Finding {
  readonly method: MaskMethod
}

/** The detections of one decision, ready to be used: what to look for, and what becomes of what is found. */
export class ContentDetection {
  readonly #detector: Detector
  readonly #byEntity: ReadonlyMap<string, Detection>

  constructor(detections: readonly Detection[], patterns: readonly OwnPattern[]) {
    const wanted = (name: string): boolean => detections.some(({ entity }) => entity === '*' || entity === name)
    this.#byEntity = new Map(detections.map((detection) => [detection.entity, detection]))
    this.#detector = createDetector({
      entities: ENTITIES.filter(wanted),
      patterns: patterns.filter(({ name }) => wanted(name)),
      minConfidence: Math.min(...detections.map(({ confidence }) => confidence)),
    })
  }

  /** False is certain: there is nothing in these bytes, in UTF-8 or any other superset of ASCII. */
  mayContain(bytes: Buffer, start: number, end: number): boolean {
    return this.#detector.mayContain(bytes, start, end)
  }

  /**
   * In order of place, without overlaps. `hint` (what the value is called) counts like a word before the text, but it may only
   * add: who asks can give a column any name, also one that speaks against what is in it.
   */
  find(text: string, hint: string): MaskedFinding[] {
    const found = this.#found(text, '')
    return hint === '' ? found : united([...found, ...this.#found(text, hint)])
  }

  #found(text: string, hint: string): MaskedFinding[] {
    const found: MaskedFinding[] = []
    for (const finding of this.#detector.find(text, hint)) {
      const method = this.#methodOf(finding)
      if (method !== undefined) found.push({ ...finding, method })
    }
    return found
  }

  /** By its name, or as one of all that are not named. */
  #methodOf({ entity, confidence }: Finding): MaskMethod | undefined {
    const detection = this.#byEntity.get(entity) ?? this.#byEntity.get('*')
    return detection === undefined || confidence < detection.confidence ? undefined : detection.method
  }
}

/** Of two that overlap one is made, with the stricter method. */
function united(findings: MaskedFinding[]): MaskedFinding[] {
  const kept: MaskedFinding[] = []
  for (const finding of findings.sort((a, b) => a.start - b.start || b.end - a.end)) {
    const last = kept.at(-1)
    if (last === undefined || last.end <= finding.start) kept.push(finding)
    else kept[kept.length - 1] = { ...last, end: Math.max(last.end, finding.end), method: stricterMethod(last.method, finding.method) }
  }
  return kept
}

export function stricterMethod(one: MaskMethod, other: MaskMethod): MaskMethod {
  return MASK_METHODS.indexOf(other) > MASK_METHODS.indexOf(one) ? other : one
}

/** What this gateway can look for: the built-in entities and its own patterns. Detections are remembered per decision's list. */
export class ContentDetections {
  readonly #patterns: readonly OwnPattern[]
  readonly #known = new WeakMap<readonly Detection[], ContentDetection>()

  /** Throws `CONFIG_INVALID` for a pattern that cannot be used. */
  constructor(patterns: readonly OwnPattern[] = []) {
    createDetector({ entities: [], patterns })
    this.#patterns = patterns
  }

  /** What cannot be looked for must not be thought to be: then the name that nobody knows is returned. */
  of(detections: readonly Detection[]): ContentDetection | { readonly unknown: string } {
    const known = this.#known.get(detections)
    if (known !== undefined) return known
    const unknown = detections.find(({ entity }) => entity !== '*' && !ENTITIES.some((name) => name === entity) && !this.#patterns.some(({ name }) => name === entity))
    if (unknown !== undefined) return { unknown: unknown.entity }
    const made = new ContentDetection(detections, this.#patterns)
    this.#known.set(detections, made)
    return made
  }
}
