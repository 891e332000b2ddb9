import { isClassPattern, patternCovers, patternsMeet } from './column-pattern.ts'
import type { Exemption, Mask, Obligations } from './events/index.ts'

/**
 * Lifts masks, and says so. Strictly: a class lifts masks that were written for a class, for the columns of that class
 * alone; a column lifts every mask for that column, however it was written. A mask whose columns are all exempted is
 * gone; one that is exempted in part says so (`except`), for only an adapter knows its columns. Exemptions that meet no
 * mask are not recorded. Blocks, detections and limits are not touched.
 */
export function liftMasks(obligations: Obligations, exemptions: readonly Exemption[]): Obligations {
  const { masks } = obligations
  const lifting = exemptions.filter((exemption) => masks.some((mask) => touches(exemption, mask)))
  if (lifting.length === 0) return obligations
  const left = masks.filter(({ column }) => !lifting.some((exemption) => patternCovers(exemption.column, column))).map((mask) => without(mask, lifting))
  return { ...obligations, masks: left, exemptions: [...obligations.exemptions ?? [], ...lifting] }
}

function without(mask: Mask, exemptions: readonly Exemption[]): Mask {
  const excepted = exemptions.filter((exemption) => touches(exemption, mask)).map(({ column }) => column)
  return excepted.length === 0 ? mask : { ...mask, except: [...new Set([...mask.except ?? [], ...excepted])] }
}

/** A class says nothing of a mask that a rule wrote for the column itself. */
function touches({ column: exempted }: Exemption, { column: masked }: Mask): boolean {
  return patternsMeet(exempted, masked) && !(isClassPattern(exempted) && !isClassPattern(masked))
}
