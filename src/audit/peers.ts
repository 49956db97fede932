import type { Compiled } from '../pipeline/compile.js'
import type { CompiledDataset } from '../pipeline/encoder.js'
import type { EncoderSpec, MaskerSpec } from '../pipeline/spec.js'
import { encodeMarker } from '../strategies/markers.js'
import type { MarkerTokenizer, RoleMarkers, Strategy } from '../strategies/types.js'

/** The tools whose view `audit --compare` shows. */
export const peers = ['axolotl', 'trl', 'transformers', 'unsloth'] as const
export type Peer = (typeof peers)[number]

/** How a peer would encode a dataset's rows, or why it would not. */
export type PeerEncoder = { encoder: EncoderSpec; note: string } | { refuses: string }

/** The encoder of a dataset under another tool's rules: typed markers are markers, and nobody checks the mask. */
export function peerEncoder(peer: Peer, dataset: CompiledDataset, { tokenizer }: Compiled): PeerEncoder {
  const { encoder, strategy } = dataset
  const base: EncoderSpec = { ...encoder, injection: 'allow' }
  switch (peer) {
    case 'axolotl':
      return axolotl(base, strategy, tokenizer)
    case 'trl':
    case 'transformers':
      return generation(peer, base)
    case 'unsloth':
      return unsloth(base, strategy, tokenizer)
  }
}

/** The multimodal collator: whole markers, one end each, padding masked by its id. */
function axolotl(base: EncoderSpec, strategy: Strategy | undefined, tokenizer: MarkerTokenizer): PeerEncoder {
  const pad = tokenizer.padTokenId
  const ignoreTokenIds = [...(base.masker.ignoreTokenIds ?? []), ...(pad === undefined ? [] : [pad])]
  const masker: MaskerSpec = { ...base.masker, ignoreTokenIds, exclude: [] }
  if (strategy?.axolotlScans !== true) {
    const encoder = { ...base, route: 'ids' as const, masker: { ...masker, trainOnInputs: true } }
    return { encoder, note: 'no role boundaries for this family: all text is trained' }
  }
  const boundaries = strategy.roles.map(role => axolotlBoundary(role, tokenizer))
  const encoder = { ...base, route: 'ids' as const, masker: { ...masker, boundaries } }
  return { encoder, note: 'whole markers in the ids, padding masked by id' }
}

function axolotlBoundary(role: RoleMarkers, tokenizer: MarkerTokenizer): MaskerSpec['boundaries'][number] {
  const end = role.ends[0]
  const ids = end === undefined ? [] : [...encodeMarker(tokenizer, end.text)]
  return {
    role: role.role,
    starts: [wholeStart(role, tokenizer)],
    ends: end === undefined ? [] : [{ ids, kind: end.kind === 'consumed' ? 'consumed' : 'before' }],
  }
}

/** A start with the shortest tail its template writes: the marker as the peers spell it. */
function wholeStart(role: RoleMarkers, tokenizer: MarkerTokenizer): number[] {
  return [...encodeMarker(tokenizer, `${role.starts[0] ?? ''}${role.tails.at(-1) ?? ''}`)]
}

/** `{% generation %}` blocks; without them transformers' mask is all zero, and TRL refuses the template. */
function generation(peer: Peer, base: EncoderSpec): PeerEncoder {
  const tagged = /\{%[-+]?\s*generation\b/.test(base.template?.source ?? '')
  if (tagged) return { encoder: { ...base, route: 'generation' }, note: 'the blocks of {% generation %}' }
  if (peer === 'trl') return { refuses: 'assistant_only_loss needs a template with {% generation %}' }
  const masker = { ...base.masker, rolesToTrain: [] }
  return {
    encoder: { ...base, route: 'ids', masker },
    note: 'no {% generation %} in the template: nothing is trained',
  }
}

/** `train_on_responses_only`: from the answer's marker to the next user marker, whatever lies between. */
function unsloth(base: EncoderSpec, strategy: Strategy | undefined, tokenizer: MarkerTokenizer): PeerEncoder {
  const user = strategy?.roles.find(role => role.role === 'user')
  const assistant = strategy?.roles.find(role => role.role === 'assistant')
  if (user === undefined || assistant === undefined) return { refuses: 'it asks for one user and one assistant marker' }
  const ends = [{ ids: wholeStart(user, tokenizer), kind: 'before' as const }]
  const boundaries = [{ role: 'assistant', starts: [wholeStart(assistant, tokenizer)], ends }]
  const masker: MaskerSpec = { ...base.masker, boundaries, exclude: [], rolesToTrain: ['assistant'] }
  return { encoder: { ...base, route: 'ids', masker }, note: 'from the answer to the next user marker' }
}
