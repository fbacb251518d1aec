import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, defaultServerConditions } from 'vite'

/** A script of this folder as one file that plain Node runs; remove its folder when done. */
export async function bundle(name: string, folder: string): Promise<string> {
  await build({
    configFile: false,
    logLevel: 'silent',
    ssr: {
      resolve: { conditions: ['@castorjs/source', ...defaultServerConditions] },
      noExternal: [/^@castorjs\//],
    },
    build: {
      ssr: fileURLToPath(new URL(`${name}.ts`, import.meta.url)),
      // Beside node_modules, so that what is not bundled is found.
      outDir: join(import.meta.dirname, '../../node_modules/.castor-simulation', folder.replace(/\W/g, '')),
      emptyOutDir: true,
      rollupOptions: { output: { entryFileNames: `${name}.mjs` } },
    },
  })
  return join(import.meta.dirname, '../../node_modules/.castor-simulation', folder.replace(/\W/g, ''), `${name}.mjs`)
}
