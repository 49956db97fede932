export {
  type Config,
  type DatasetConfig,
  type LossmaskConfig,
  loadConfig,
  type RoleBoundaryConfig,
} from './config/index.js'
export { type ErrorDetails, formatIssue, type Issue, LossmaskError } from './errors.js'
export { listStrategies, type Strategy } from './strategies/index.js'
export { type AddedToken, type LoadedTokenizer, loadTokenizer, type TokenizerOptions } from './tokenizer/index.js'
