import { defineConfig, type Options } from 'tsup'

/** The build of every package: ESM only, one file per public door, types beside it. */
export function packageBuild(entry: readonly string[], options: Options = {}) {
  return defineConfig({
    entry: [...entry],
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    sourcemap: true,
    clean: true,
    dts: { compilerOptions: { ignoreDeprecations: '6.0', customConditions: [], noEmit: false, emitDeclarationOnly: true } },
    ...options,
  })
}
