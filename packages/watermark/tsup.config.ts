import { packageBuild } from '../../tsup.base.ts'

export default packageBuild(['src/index.ts', 'src/png.ts', 'src/jpeg.ts', 'src/jimp.ts', 'src/node.ts', 'src/cli.ts'])
