import { packageBuild } from '../../tsup.base.ts'

export default [
  packageBuild(['src/index.ts', 'src/png.ts', 'src/jpeg.ts', 'src/jimp.ts', 'src/node.ts']),
  // The command carries its progress bar, so that the package itself has no dependencies.
  packageBuild(['src/cli.ts'], {
    platform: 'node',
    clean: false,
    dts: false,
    noExternal: ['cli-progress'],
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  }),
]
