import { defineCommand } from 'citty'
import { startGateway } from '../gateway.ts'
import { createLog } from '../log.ts'
import { knownArguments } from './known-arguments.ts'
import { runUntilStopped } from './run-until-stopped.ts'
import { readConfigOrExit } from './read-config-or-exit.ts'

export const serveCommand = defineCommand({
  meta: { name: 'serve', description: 'Start the gateway with your configuration.' },
  plugins: [knownArguments],
  async run() {
    const config = readConfigOrExit()
    const log = createLog(config.log)
    await runUntilStopped(log, async () => {
      const gateway = await startGateway(config, { log })
      const { url, info } = gateway
      log.info(`Castor ${info.version} serves at ${url}`)
      for (const { path, description } of info.mounts)
        log.info(`  ${url}${path === '/' ? '' : path}/v1  ${description}`)
      if (gateway.isGuest) {
        log.warn('There is no account, so Google answers as it answers a guest: the smallest model, text only.')
        log.warn(
          'To add yours, put SECURE_1PSID and SECURE_1PSIDTS into .env and start again; README.md says where to find them.',
        )
      }
      if (config.apiKeys.length === 0 && !config.allowAnyone) {
        log.warn('There is no API_KEY, so only this machine is served.')
      }
      return [gateway.close]
    })
  },
})
