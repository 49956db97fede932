/** Split expressions, as `datasets` reads them: `train`, `train[:20%]`, `train[10:]+test[-5:]`. */

/** Some consecutive rows of one split. */
export interface SplitPart {
  split: string
  /** First row, from the beginning, or from the end when negative; absent: the first. */
  from?: number
  /** The row after the last one; absent: all that follow. */
  to?: number
  /** What the two count. */
  unit: 'rows' | 'percent'
  /** How a share becomes a row: to the nearest one, or by steps of a whole hundredth of the rows (`pct1_dropremainder`). */
  rounding: 'closest' | 'pct1_dropremainder'
}

const PART =
  /^\s*(?<split>[\w.-]+(?:\/[\w.-]+)*?)\s*(?:\[\s*(?<from>-?\d+(?:_\d+)*)?\s*(?<fromUnit>%)?\s*:\s*(?<to>-?\d+(?:_\d+)*)?\s*(?<toUnit>%)?\s*\]\s*(?:\((?<rounding>closest|pct1_dropremainder)\))?)?\s*$/u

/** The parts of a split expression in their order, or what is wrong with it. */
export function parseSplit(text: string): SplitPart[] | { wrong: string } {
  const parts: SplitPart[] = []
  for (const each of text.split('+')) {
    const part = parsePart(each)
    if ('wrong' in part) return part
    parts.push(part)
  }
  return parts
}

function parsePart(text: string): SplitPart | { wrong: string } {
  const groups = PART.exec(text)?.groups
  if (groups === undefined) return { wrong: `${JSON.stringify(text)} is neither a split nor a slice of one` }
  const [from, to] = [number(groups.from), number(groups.to)]
  const units = [groups.fromUnit, groups.toUnit].filter((_, index) => [from, to][index] !== undefined)
  const unit = units.includes('%') ? 'percent' : 'rows'
  if (unit === 'percent' && units.includes(undefined))
    return { wrong: `${JSON.stringify(text)} mixes rows and percent` }
  if (unit === 'percent' && [from, to].some(each => Math.abs(each ?? 0) > 100)) {
    return { wrong: `${JSON.stringify(text)} goes beyond 100%` }
  }
  return {
    split: groups.split as string,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    unit,
    rounding: groups.rounding === 'pct1_dropremainder' ? 'pct1_dropremainder' : 'closest',
  }
}

function number(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text.replaceAll('_', ''))
}

/** Whether the part is a whole split. */
export function isWhole({ from, to }: SplitPart): boolean {
  return from === undefined && to === undefined
}
