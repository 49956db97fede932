export {
  type ExpandedMedia,
  type ExpandMediaOptions,
  expandMedia,
  type TokenRun,
  type VideoFrames,
} from './expand.js'
