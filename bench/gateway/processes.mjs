import { fork } from 'node:child_process'
import { once } from 'node:events'

const PRELOAD = new URL('./report-usage.mjs', import.meta.url).pathname

/** A measured process that says its port when it is ready. */
export async function startProcess(name, script, { args = [], env = {} } = {}) {
  const child = fork(script, args, {
    execArgv: ['--import', PRELOAD],
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const port = await new Promise((resolve, reject) => {
    child.on('message', (message) => message.port !== undefined && resolve(message.port))
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code} before it was ready`)))
  })
  return {
    name,
    url: `http://127.0.0.1:${port}`,
    async usage() {
      child.send('usage')
      for (;;) {
        const [message] = await once(child, 'message')
        if (message.cpuMs !== undefined) return message
      }
    },
    async stop() {
      child.removeAllListeners('exit')
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}
