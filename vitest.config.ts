import { defaultServerConditions } from 'vite'
import { defineConfig } from 'vitest/config'
import type { Reporter } from 'vitest/node'

/** Ends the run with the one plain line that CI reads. */
const summary: Reporter = {
  onTestRunEnd(modules, unhandled) {
    const counts = { passed: 0, failed: unhandled.length, skipped: 0, pending: 0 }
    for (const module of modules) {
      counts.failed += module.errors().length
      for (const suite of module.children.allSuites()) counts.failed += suite.errors().length
      for (const test of module.children.allTests()) counts[test.result().state]++
    }
    process.once('exit', () => {
      const skipped = counts.skipped + counts.pending
      if (skipped > 0) console.log(`${skipped} skipped`)
      console.log(`${counts.passed} passed, ${counts.failed} failed`)
    })
  },
}

/**
 * `module` is left out: vitest hands these on to Node, which would then load builds made for bundlers only.
 */
const conditions = ['@castorjs/source', ...defaultServerConditions.filter((name) => name !== 'module')]

export default defineConfig({
  ssr: { resolve: { conditions } },
  test: {
    include: ['{packages,apps}/*/{src,test}/**/*.test.ts', 'scripts/**/*.test.ts'],
    reporters: ['default', summary],
    // Most tests wait for sockets and clocks: one worker, the default on two cores, leaves them idle.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
})
