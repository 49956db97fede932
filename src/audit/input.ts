import type { Compiled } from '../pipeline/compile.js'
import type { Report } from '../pipeline/report.js'
import type { Notice } from '../strategies/types.js'
import type { AuditInput } from './types.js'

/** What the checks know beside the report; `train_on_eos` is that of the first dataset, as axolotl logs it. */
export function auditInput(compiled: Compiled, report: Report, more: readonly Notice[] = []): AuditInput {
  const { datasets, tokenizer, notices, config } = compiled
  const conversations = datasets.filter(({ encoder }) => encoder.rowType === 'chat_template').map(each => each.resolved)
  const [masking] = conversations
  const { generationEosTokenIds, eosTokenId } = tokenizer
  const eos = eosTokenId === undefined ? [] : [eosTokenId]
  const configured = config.specialTokens?.eos_token !== undefined ? eos : []
  const declared = [...new Set([...generationEosTokenIds, ...configured])]
  const trained = conversations.flatMap(({ boundaries, rolesToTrain }) =>
    boundaries.filter(({ role }) => rolesToTrain.includes(role)),
  )
  // The generation route has an answer's end within its block.
  const inBlocks = datasets.some(
    ({ encoder, resolved }) =>
      encoder.route === 'generation' ||
      (encoder.route === 'auto' &&
        resolved.boundaries.length === 0 &&
        /\{%[-+]?\s*generation\b/.test(encoder.template?.source ?? '')),
  )
  return {
    report,
    notices: [...notices, ...more],
    rolesToTrain: [...new Set(conversations.flatMap(({ rolesToTrain }) => rolesToTrain))],
    trainOnEos: masking?.trainOnEos ?? 'turn',
    trainOnInputs: masking?.trainOnInputs ?? config.trainOnInputs,
    stopTokens: (declared.length > 0 ? declared : eos).map(id => ({ id, text: tokenizer.decode([id]) })),
    stopTokensDeclared: declared.length > 0,
    endsApart:
      !inBlocks && (trained.length === 0 || trained.some(({ ends }) => ends.some(({ kind }) => kind !== 'before'))),
    ownEnds: trained.some(({ ends }) => ends.some(({ kind }) => kind !== 'before')),
  }
}
