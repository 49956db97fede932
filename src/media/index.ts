export { type Batch, type CollateOptions, collate, type RowToCollate } from './collate.js'
export {
  type ExpandedMedia,
  type ExpandMediaOptions,
  expandMedia,
  type TokenRun,
  type VideoFrames,
} from './expand.js'
