import { defaultServerConditions } from 'vite'
import { defineConfig } from 'vitest/config'

/** Runs what is meant to fail, away from the real tests. */
export default defineConfig({
  root: import.meta.dirname,
  ssr: {
    resolve: { conditions: ['@castorjs/source', ...defaultServerConditions.filter((name) => name !== 'module')] },
  },
  test: { include: ['broken.judged.ts'], testTimeout: 2_000, reporters: ['json'] },
})
