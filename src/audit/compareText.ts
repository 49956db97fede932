import { placeText } from '../cli/rowText.js'
import { count, counted, type Paint, visible } from '../cli/terminal.js'
import type { Piece } from '../inspect/pieces.js'
import type { PeerView } from './compare.js'

/** The peers' views: a line each, then the first row in which they differ, side by side. */
export function compareText(views: readonly PeerView[], paint: Paint): string {
  return views.flatMap(view => [headline(view, paint), ...sideBySide(view, paint)]).join('\n')
}

function headline(view: PeerView, paint: Paint): string {
  const name = paint.bold(view.peer)
  if (view.refuses !== undefined) return `${name}: does not run: ${view.refuses}`
  const differing = view.differingRows ?? 0
  const rows = `${count(differing)} of ${counted(view.rows ?? 0, 'row')} differ`
  const nothing = view.rowsWithoutTrainedTokens ?? 0
  return [
    `${name} (${view.note}): ${differing > 0 ? paint.yellow(rows) : paint.green(rows)}`,
    `${counted(view.trainedTokens ?? 0, 'token')} trained`,
    ...(nothing > 0 ? [`nothing trained in ${counted(nothing, 'row')}`] : []),
  ].join(', ')
}

function sideBySide({ peer, first }: PeerView, paint: Paint): string[] {
  if (first === undefined) return []
  const width = Math.max(peer.length, 'lossmask'.length)
  const show = (name: string, pieces: readonly Piece[]) =>
    `    ${name.padEnd(width)}  ${pieces.map(piece => painted(piece, paint)).join('')}`
  return [`  first at ${placeText(first.place)}`, show('lossmask', first.ours), show(peer, first.theirs)]
}

/** Trained text is green, and in brackets for those who see no colour. */
function painted({ text, trained }: Piece, paint: Paint): string {
  const shown = visible(text.length > 160 ? `${text.slice(0, 110)} … ${text.slice(-40)}` : text)
  return trained ? paint.green(`[${shown}]`) : paint.dim(shown)
}
