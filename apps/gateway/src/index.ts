export { ConfigError, parseConfig, readConfig } from './config.ts'
export type { Config } from './config-schema.ts'
export { startGateway, type Gateway, type GatewayOptions } from './gateway.ts'
