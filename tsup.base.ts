import { defineConfig, type Options } from 'tsup'

/** Types are made by a script of their own: they take ten times as long, and only who publishes needs them. */
const typesOnly = process.env['npm_lifecycle_event'] === 'build:types'

const types: Options['dts'] = {
  only: true,
  compilerOptions: { ignoreDeprecations: '6.0', customConditions: [], noEmit: false, emitDeclarationOnly: true },
}

/** The build of every package: ESM only, one file per public door, types beside it. */
export function packageBuild(entry: readonly string[], options: Options = {}) {
  return defineConfig({
    entry: [...entry],
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    sourcemap: true,
    clean: !typesOnly,
    dts: typesOnly ? types : false,
    ...options,
  })
}
