import type { Compiled } from '../pipeline/compile.js'
import type { Report } from '../pipeline/report.js'
import type { AuditInput } from './types.js'

/** What the checks know beside the report; the knobs are those of the first dataset, as axolotl logs them. */
export function auditInput({ datasets, tokenizer, notices }: Compiled, report: Report): AuditInput {
  const masking = datasets[0]?.resolved
  const { generationEosTokenIds, eosTokenId } = tokenizer
  const eos = eosTokenId === undefined ? [] : [eosTokenId]
  const stopIds = generationEosTokenIds.length > 0 ? generationEosTokenIds : eos
  const trained = masking?.boundaries.filter(({ role }) => masking.rolesToTrain.includes(role)) ?? []
  const own = trained.flatMap(({ ends }) => ends.filter(({ kind }) => kind !== 'before'))
  return {
    report,
    notices,
    rolesToTrain: masking?.rolesToTrain ?? [],
    trainOnEos: masking?.trainOnEos ?? 'turn',
    trainOnInputs: masking?.trainOnInputs ?? false,
    stopTokens: stopIds.map(id => tokenizer.decode([id])),
    endMarkers: [...new Set(own.map(({ ids }) => tokenizer.decode(ids)))],
  }
}
