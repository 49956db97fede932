export { findStrategy, listStrategies, strategyOfProcessor } from './registry.js'
export { resolveStrategy } from './resolve.js'
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
