export { type Detection, type DetectionInput, detectStrategy } from './detect.js'
export { familiesMarkdown } from './markdown.js'
export { findStrategy, knownStrategy, listStrategies, strategyOfProcessor } from './registry.js'
export { resolveStrategy } from './resolve.js'
export { PROBE, type ProbeMessage, type ProbeRow, type SelfTest, selfTest } from './selfTest.js'
export { type StrategyRow, strategyRow } from './table.js'
export type {
  DetectionHints,
  EndKind,
  EndMarker,
  MarkerTokenizer,
  Notice,
  ResolvedBoundary,
  ResolvedStrategy,
  RoleBoundarySpec,
  RoleMarkers,
  Strategy,
  StrategyOverrides,
  Stretch,
  TrainOnEos,
  Verification,
} from './types.js'
