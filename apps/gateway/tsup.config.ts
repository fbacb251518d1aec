import { packageBuild } from '../../tsup.base.ts'

export default packageBuild(['src/cli.ts', 'src/index.ts'], { platform: 'node', dts: false })
