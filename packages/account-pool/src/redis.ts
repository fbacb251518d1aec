export { createRedisPoolState, type RedisPoolStateOptions, type RunScript } from './redis-state.ts'
