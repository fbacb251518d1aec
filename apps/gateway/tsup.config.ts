import { packageBuild } from '../../tsup.base.ts'

export default packageBuild(['src/cli.ts', 'src/index.ts', 'src/media/picture-worker.ts'], {
  platform: 'node',
})
