export { type Config, type DatasetConfig, type LossmaskConfig, loadConfig, type RoleBoundaryConfig } from './load.js'
export type { Place } from './source.js'
