/** `roles_to_train` at the root was ignored, and the run trained what it should not. */
import type { Failure } from '../helpers/failure.js'
import { assistant, user } from '../helpers/wholeRun.js'

const rows = [{ messages: [user('Is it open?'), assistant('Yes.')] }]
const says = { 'config-misplaced-key': 'refused' } as const

export default {
  row: 'U',
  wrong: 'a knob placed where it does nothing',
  threads: ['axolotl’s documentation: knobs stand under `datasets[0]`'],
  here: 'an error with line, column and the right place',
  cases: {
    'roles_to_train at the root': { rows, config: { roles_to_train: ['user'] }, says },
    'train_on_eos at the root': { rows, config: { train_on_eos: 'turn' }, says },
    'train_on_inputs in a dataset': { rows, dataset: { train_on_inputs: true }, says },
    'a knob that is misspelt': {
      rows,
      dataset: { roles_to_trian: ['user'] },
      says: { 'config-unknown-key': 'refused' },
    },
  },
} satisfies Failure
