import type { MarkerTokenizer, ResolvedBoundary, ResolvedStrategy } from './types.js'

/** The knobs in one line, as axolotl logs them. */
export function summaryLine(resolved: ResolvedStrategy): string {
  const source = resolved.source === 'override' ? `${resolved.boundaries.length} items` : 'none'
  return [
    `strategy=${resolved.name}`,
    `train_on_inputs=${resolved.trainOnInputs}`,
    `roles_to_train=[${resolved.rolesToTrain.join(', ')}]`,
    `train_on_eos=${resolved.trainOnEos}`,
    `role_boundaries_override=${source}`,
  ].join(' ')
}

/** One boundary in one line: each marker as text and ids. */
export function boundaryLine(boundary: ResolvedBoundary, tokenizer: MarkerTokenizer): string {
  const show = (ids: number[]) => `${JSON.stringify(tokenizer.decode(ids))} [${ids.join(', ')}]`
  const parts = [`start ${boundary.starts.map(show).join(' or ')}`]
  const [first, ...more] = boundary.tails
  if (first !== undefined) parts.push(`tail ${show(first)}${more.length === 0 ? '' : ` or ${more.length} more`}`)
  const ends = boundary.ends.map(end => show(end.ids) + (end.kind === 'consumed' ? '' : ` (${end.kind})`))
  parts.push(ends.length === 0 ? 'end none: to the end of the row' : `end ${ends.join(' or ')}`)
  return `${boundary.role}: ${parts.join(', ')}`
}
