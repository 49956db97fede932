import { type Piece, pieces } from '../inspect/pieces.js'
import { type Compiled, runSpec } from '../pipeline/compile.js'
import type { Place, Report, ShownRow } from '../pipeline/report.js'
import { runPipeline } from '../pipeline/run.js'
import type { PipelineSpec } from '../pipeline/spec.js'
import { type Peer, peerEncoder } from './peers.js'

/** What another tool would train on, over the sample that both encoded. */
export interface PeerView {
  peer: Peer
  /** Its rule in a few words. */
  note: string
  /** Why it would not run; then there are no figures. */
  refuses?: string
  rows?: number
  trainedTokens?: number
  rowsWithoutTrainedTokens?: number
  /** Rows in which another text is trained than here. */
  differingRows?: number
  first?: { place: Place; ours: Piece[]; theirs: Piece[] }
}

/** Runs the peers' rules over the rows that `sample` picks, and compares what would be trained. */
export async function comparePeers(
  compiled: Compiled,
  sample: number,
  wanted: readonly Peer[],
): Promise<{ ours: Report; views: PeerView[] }> {
  const spec = await runSpec(compiled, { sample, debugRows: sample, onError: 'skip' })
  const whole: PipelineSpec = { ...spec, testDatasets: [], untrainedRows: 'keep' }
  delete whole.valSetSize
  delete whole.samplePacking
  const ours = await runPipeline(whole)
  const views: PeerView[] = []
  for (const peer of wanted) views.push(await view(peer, whole, compiled, ours))
  return { ours, views }
}

async function view(peer: Peer, spec: PipelineSpec, compiled: Compiled, ours: Report): Promise<PeerView> {
  // The run's own encoders: they know where the files' media are.
  const encoders = compiled.datasets.map((dataset, index) =>
    peerEncoder(peer, { ...dataset, encoder: spec.datasets[index]?.encoder ?? dataset.encoder }, compiled),
  )
  const refusal = encoders.find(each => 'refuses' in each)
  if (refusal !== undefined && 'refuses' in refusal) return { peer, note: '', refuses: refusal.refuses }
  const datasets = spec.datasets.map((dataset, index) => {
    const made = encoders[index]
    return made !== undefined && 'encoder' in made ? { ...dataset, encoder: made.encoder } : dataset
  })
  const theirs = await runPipeline({ ...spec, datasets })
  const note = [...new Set(encoders.flatMap(each => ('note' in each ? [each.note] : [])))].join('; ')
  return { peer, note, ...differences(ours.debug, theirs) }
}

function differences(ours: readonly ShownRow[], theirs: Report): Omit<PeerView, 'peer' | 'note'> {
  const known = new Map(theirs.debug.map(row => [placeKey(row), row]))
  const pairs = ours.flatMap(row => {
    const other = known.get(placeKey(row))
    return other === undefined ? [] : [{ row, other }]
  })
  const differing = pairs.filter(({ row, other }) => trainedText(row) !== trainedText(other))
  const first = differing[0]
  const place = first?.row.sources[0]
  return {
    rows: pairs.length,
    trainedTokens: theirs.trainedTokens,
    rowsWithoutTrainedTokens: theirs.rowsWithoutTrainedTokens,
    differingRows: differing.length,
    ...(first === undefined || place === undefined
      ? {}
      : { first: { place, ours: pieces(first.row), theirs: pieces(first.other) } }),
  }
}

const placeKey = (row: ShownRow) => JSON.stringify(row.sources)

/** What is trained, as text and where: two tokenizations of one text are compared by what they spell. */
function trainedText(row: ShownRow): string {
  return JSON.stringify(pieces(row))
}
