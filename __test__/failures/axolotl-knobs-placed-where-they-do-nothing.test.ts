/** U: `roles_to_train` at the root was ignored, and the run trained what it should not. */
import test from 'ava'
import { LossmaskError } from '../../src/errors.js'
import { runRows } from '../helpers/run.js'

for (const knob of ['roles_to_train', 'train_on_eos']) {
  test(`${knob} at the root is an error that names its place`, async t => {
    const error = await t.throwsAsync(runRows([], { [knob]: knob === 'train_on_eos' ? 'turn' : ['user'] }), {
      instanceOf: LossmaskError,
    })
    t.is(error?.code, 'config-misplaced-key')
    t.regex(`${error?.message} ${error?.hint}`, /datasets/u)
  })
}
