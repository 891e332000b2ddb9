export { createDetector, type Detector, type DetectorOptions } from './detector.ts'
export { ENTITIES, type Entity, type Finding } from './finding.ts'
export type { OwnPattern } from './own-pattern.ts'
