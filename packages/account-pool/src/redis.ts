export { createRedisPoolState, type RedisPoolStateOptions, type RunScript } from './redis-state.ts'
export { createScriptRunner, type ScriptClient } from './script-runner.ts'
