/** Runs the catalogue of `__test__/failures` and writes `docs/failures.md` from what came out. */
import { writeFileSync } from 'node:fs'
import { catalogue } from '../__test__/helpers/catalogue.js'
import { failuresDoc, outcomeOf, type Said, type Told } from '../__test__/helpers/failure.js'

const told: Told[] = []
for (const { file, failure } of await catalogue()) {
  const outcomes: Said[] = []
  for (const [name, one] of Object.entries(failure.cases)) {
    console.error(`${failure.row} ${file}: ${name}`)
    outcomes.push(await outcomeOf(one))
  }
  told.push({ file, failure, outcomes })
}
writeFileSync(new URL('../docs/failures.md', import.meta.url), failuresDoc(told))
