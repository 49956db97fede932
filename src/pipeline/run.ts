import { guarded, guardedAsync, native } from '../native.js'
import type { Report } from './report.js'
import type { PipelineSpec } from './spec.js'

/** How far a run is. */
export interface Progress {
  /** Rows read. */
  rows: number
  /** Rows kept so far. */
  rowsWritten: number
  /** Rows rejected so far. */
  rejected: number
  /** Tokens of the rows kept. */
  tokens: number
  /** Those trained. */
  trainedTokens: number
  /** Bytes read from disk. */
  bytesRead: number
  /** Bytes of all files. */
  bytesTotal: number
  /** Seconds since the run began. */
  seconds: number
}

/** How a run is watched and stopped. */
export interface RunControl {
  /** Called about ten times a second. */
  onProgress?: (progress: Progress) => void
  /** Stops the run: it rejects with `cancelled` and leaves nothing behind. */
  signal?: AbortSignal
}

/**
 * Reads, encodes and writes everything that a spec says, on threads of its own.
 *
 * @throws LossmaskError for the first bad row under `onError: 'fail'`, and for whatever is wrong with files and disks; nothing is
 * written then.
 */
export async function runPipeline(spec: PipelineSpec, { onProgress, signal }: RunControl = {}): Promise<Report> {
  const { PipelineRun } = native()
  const run = guarded(() => new PipelineRun(JSON.stringify(spec)))
  const cancel = () => run.cancel()
  if (signal?.aborted) cancel()
  signal?.addEventListener('abort', cancel, { once: true })
  const report = onProgress && ((progress: string) => onProgress(JSON.parse(progress) as Progress))
  try {
    return JSON.parse(await guardedAsync(() => run.start(report))) as Report
  } finally {
    signal?.removeEventListener('abort', cancel)
  }
}
