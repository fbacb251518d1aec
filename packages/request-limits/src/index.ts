export {
  checkLimits,
  createRequestLimits,
  type CallerLimits,
  type LimitDecision,
  type LimitName,
  type RequestLimits,
  type RequestLimitsOptions,
} from './request-limits.ts'
